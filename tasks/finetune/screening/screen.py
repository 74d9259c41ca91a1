"""All searches over one training split: every suspected row, with its reasons, by content digest.

report = screen_rows(rows, embed([row.text for row in rows]), settings, labels, guard)
report.held        # {row digest: kinds}: kept out of training until a person decides

Strong evidence holds a row back; weak evidence only lists it for review. Which words cooperate with a
trigger is not published: a report names them by digest, `assay quarantine show` finds them in the row.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from infra.config.screening import ScreeningSettings
from infra.digest import digest_bytes, digest_json
from infra.errors import DataError
from infra.guard import GuardPolicy
from tasks.finetune.screening.flips import flip_scores, review_list
from tasks.finetune.screening.floods import find_floods
from tasks.finetune.screening.hidden import hidden_characters
from tasks.finetune.screening.neighbours import Indices, Vectors, nearest
from tasks.finetune.screening.rows import content_digest, row_ids
from tasks.finetune.screening.triggers import SEARCHED, find_triggers
from tasks.records import Row
from tasks.records.screening import ScreeningReport, Suspicion, SuspicionKind

_INJECTION_RISKS = ("prompt_injection", "system_prompt_leakage")
_FEWEST_ROWS = 20


def screen_rows(
    rows: Sequence[Row],
    vectors: NDArray[np.float32],
    settings: ScreeningSettings,
    labels: Sequence[str],
    guard: GuardPolicy,
) -> ScreeningReport:
    """The report for these rows, whatever their order; `vectors` [n, d], of length 1, in their order.

    Raises DataError for fewer than 20 rows, fewer than two labels, unknown labels, rows that occur
    twice, and vectors that do not fit the rows.
    """
    _check(rows, vectors, labels)
    names = row_ids(rows)
    order = sorted(range(len(rows)), key=names.__getitem__)
    rows, names = [rows[at] for at in order], [names[at] for at in order]
    found = _search([row.text for row in rows], vectors[order], _numbers(rows, labels), settings, labels)
    suspicions = [
        *(_suspicion(names[row], each) for row, each in found),
        *_by_text(rows, names, guard),
    ]
    return ScreeningReport(
        rows=len(rows),
        content=content_digest(names),
        settings=digest_json(settings.model_dump(mode="json", exclude={"threads"})),
        guard=guard.digest,
        suspicions=_strongest(suspicions),
    )


def _check(rows: Sequence[Row], vectors: NDArray[np.float32], labels: Sequence[str]) -> None:
    present = {row.label for row in rows}
    if len(rows) < _FEWEST_ROWS or len(present) < 2:
        raise DataError(
            f"got {len(rows)} rows with {len(present)} labels, expected at least {_FEWEST_ROWS} with two",
            hint="too few rows to tell poison from data",
        )
    if unknown := sorted(present - set(labels)):
        raise DataError(f"label {unknown[0]!r} is not one of {len(labels)} labels")
    if vectors.ndim != 2 or len(vectors) != len(rows) or not np.isfinite(vectors).all():
        raise DataError(
            f"got vectors {vectors.shape}, expected one finite vector for each of {len(rows)} rows"
        )


def _numbers(rows: Sequence[Row], labels: Sequence[str]) -> Indices:
    number = {label: at for at, label in enumerate(labels)}
    return np.array([number[row.label] for row in rows], dtype=np.int64)


def _search(
    texts: Sequence[str],
    vectors: Vectors,
    numbers: Indices,
    settings: ScreeningSettings,
    labels: Sequence[str],
) -> Iterator[tuple[int, Suspicion]]:
    """What the comparison of rows finds, as (row, suspicion without a name)."""
    near = nearest(vectors, max(SEARCHED, settings.neighbours))
    flips = flip_scores(texts, vectors, numbers, near, settings)
    listed = set(review_list(flips, settings).tolist())
    for row in sorted(listed | set(np.flatnonzero(flips.strong).tolist())):
        remark = f"looks like {labels[flips.expected[row]]}"
        yield (
            row,
            _unnamed(SuspicionKind.FLIP, float(flips.rank[row]), bool(flips.strong[row]), remark),
        )
    for trigger in find_triggers(texts, vectors, numbers, near, settings):
        remark = f"{len(trigger.rows)} rows with the same words, neighbours promise {trigger.expected:.0%}"
        mark = digest_bytes(trigger.gram.encode())
        score = min(1.0, -trigger.log10_p / 20)
        for row in trigger.rows.tolist():
            yield row, _unnamed(SuspicionKind.TRIGGER, score, trigger.strong, remark, mark)
    for flood in find_floods(vectors, numbers, near, settings):
        for row in flood.tolist():
            yield row, _unnamed(SuspicionKind.FLOOD, 1.0, True, f"{len(flood)} nearly identical rows")


def _by_text(rows: Sequence[Row], names: Sequence[str], guard: GuardPolicy) -> Iterator[Suspicion]:
    """What one row alone shows."""
    for name, row in zip(names, rows, strict=True):
        if hidden := hidden_characters(row.text):
            remark = ", ".join(hidden[:4])
            yield _suspicion(name, _unnamed(SuspicionKind.HIDDEN, 1.0, True, remark))
        verdict = guard.check_input(row.text)
        if verdict.risk in _INJECTION_RISKS:
            yield _suspicion(name, _unnamed(SuspicionKind.INJECTION, 1.0, True, f"guard rule {verdict.rule}"))


_NO_ROW = "sha256:" + "0" * 64


def _unnamed(
    kind: SuspicionKind, score: float, held: bool, remark: str, mark: str | None = None
) -> Suspicion:
    return Suspicion(row=_NO_ROW, kind=kind, score=round(score, 4), held=held, remark=remark, mark=mark)


def _suspicion(name: str, unnamed: Suspicion) -> Suspicion:
    return unnamed.model_copy(update={"row": name})


def _strongest(suspicions: Sequence[Suspicion]) -> tuple[Suspicion, ...]:
    """One entry for every row and kind, sorted: of several triggers in a row, the strongest."""
    best: dict[tuple[str, str], Suspicion] = {}
    for each in suspicions:
        known = best.get((each.row, each.kind))
        if known is None or (each.held, each.score) > (known.held, known.score):
            best[(each.row, each.kind)] = each
    return tuple(best[key] for key in sorted(best))
