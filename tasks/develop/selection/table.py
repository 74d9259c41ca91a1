"""The comparison as people read it, in the terminal and beside the run.

print(as_text(comparison))
"""

from collections.abc import Sequence

from tasks.records.selection import BaseCheck, BaseComparison, ComparedBase, ShotScore

_HEAD = (
    "candidate", "licence", "verdict", "size MB", "parameters", "zero-shot", "few-shot",
    "p50/p95 ms", "rows/CPU s", "peak MB",
)  # fmt: skip


def as_text(comparison: BaseComparison) -> str:
    """The table, what each verdict rests on, and the choice."""
    lines = _aligned([_HEAD, *(_cells(row) for row in comparison.rows)])
    notes = [f"{row.check.name}: {reason}" for row in comparison.rows for reason in row.check.reasons]
    choice = f"chosen: {comparison.chosen} ({comparison.reason}); scored on {comparison.scored_on}"
    return "\n".join([*lines, "", *notes, "", choice])


def checks_as_text(checks: Sequence[BaseCheck]) -> str:
    """Candidates before they are scored."""
    lines = _aligned([_HEAD[:5], *(_cells(ComparedBase(check=check))[:5] for check in checks)])
    return "\n".join(
        [*lines, "", *(f"{check.name}: {reason}" for check in checks for reason in check.reasons)]
    )


def metrics(comparison: BaseComparison) -> dict[str, float]:
    """Every measured number under `base.<candidate>.<what>`, as a run logs them."""
    found: dict[str, float] = {}
    for row in comparison.rows:
        start = f"base.{row.check.name}"
        if row.score is None:
            continue
        found[f"{start}.accuracy_zero_shot"] = row.score.zero_shot.accuracy
        if row.score.few_shot is not None:
            found[f"{start}.accuracy_few_shot"] = row.score.few_shot.accuracy
        found[f"{start}.latency_p50_ms"] = row.score.latency_p50_ms
        found[f"{start}.latency_p95_ms"] = row.score.latency_p95_ms
        found[f"{start}.rows_per_cpu_s"] = row.score.zero_shot.rows_per_cpu_s
        found[f"{start}.peak_memory_bytes"] = row.score.peak_memory_bytes
        found[f"{start}.bytes"] = row.check.bytes or 0
        found[f"{start}.parameters"] = row.check.parameters or 0
    return found


def _cells(row: ComparedBase) -> tuple[str, ...]:
    check, score = row.check, row.score
    about = (
        check.name,
        check.licence,
        check.verdict,
        f"{check.bytes / 1e6:.0f}" if check.bytes else "-",
        f"{check.parameters / 1e6:.0f}M" if check.parameters else "-",
    )
    if score is None:
        return (*about, *["-"] * 5)
    return (
        *about,
        _accuracy(score.zero_shot),
        _accuracy(score.few_shot) if score.few_shot else "-",
        f"{score.latency_p50_ms:.0f}/{score.latency_p95_ms:.0f}",
        f"{score.zero_shot.rows_per_cpu_s:.1f}",
        f"{score.peak_memory_bytes / 1e6:.0f}",
    )


def _accuracy(score: ShotScore) -> str:
    return f"{score.accuracy:.1%} [{score.lower:.1%}, {score.upper:.1%}]"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
