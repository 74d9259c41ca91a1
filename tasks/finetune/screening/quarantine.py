"""Suspected rows wait here for a person: held back from training, released or removed by name.

decisions = read_decisions(ledger.entries(), "triage")
held = hold_back(rows, report, decisions)          # train on held.kept
decide(ledger, "triage", report, rows=[digest], decision="release", actor="ada", reason="…")

The ledger is where decisions live: it says who, when and why, and a changed entry breaks its chain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from infra.errors import ConfigError, DataError, IntegrityError
from infra.ledger import Entry, Kind, Ledger, check_chain
from tasks.finetune.screening.rows import content_digest, row_ids
from tasks.records import Row
from tasks.records.screening import QuarantineDecision, ScreeningReport, SuspicionKind

Choice = Literal["release", "remove"]
Decisions = Mapping[str, QuarantineDecision]
_DETAIL = "quarantine"


@dataclass(frozen=True)
class HeldBack:
    """One training split, divided by what the screen and people said."""

    kept: list[Row]
    """Rows to train on, in their order."""
    undecided: tuple[str, ...]
    """Strongly suspected rows that nobody has decided on (or not on these reasons), sorted."""
    removed: tuple[str, ...]
    """Rows that a person took out, sorted."""


def hold_back(rows: Sequence[Row], report: ScreeningReport, decisions: Decisions) -> HeldBack:
    """Rows to train on; raises IntegrityError when the report is about other rows."""
    names = row_ids(rows)
    if (got := content_digest(names)) != report.content:
        raise IntegrityError(
            f"the screening report is about {report.content}, the training rows are {got}",
            hint="screen these rows",
        )
    kept, undecided, removed = [], [], []
    for name, row in zip(names, rows, strict=True):
        state = state_of(name, report, decisions)
        if state == "removed":
            removed.append(name)
        elif state == "undecided":
            undecided.append(name)
        else:
            kept.append(row)
    return HeldBack(kept, tuple(sorted(undecided)), tuple(sorted(removed)))


def state_of(
    row: str, report: ScreeningReport, decisions: Decisions
) -> Literal["kept", "undecided", "released", "removed"]:
    """Where one row stands. A release covers the reasons known then: a new one asks again."""
    decision = decisions.get(row)
    if decision is not None and decision.decision == "remove":
        return "removed"
    kinds = report.held.get(row)
    if not kinds:
        return "kept"
    if decision is None or not kinds <= set(decision.kinds):
        return "undecided"
    return "released"


def read_decisions(entries: Sequence[Entry], project: str) -> dict[str, QuarantineDecision]:
    """The newest decision about every row; `entries` are all of a ledger, in order.

    Raises IntegrityError when their chain is broken or a decision cannot be read.
    """
    check_chain(list(entries))
    decisions: dict[str, QuarantineDecision] = {}
    for entry in entries:
        if entry.project != project or entry.kind != Kind.NOTE or _DETAIL not in entry.details:
            continue
        try:
            content = entry.details[_DETAIL]
            for row, kinds in content["rows"].items():
                decisions[row] = QuarantineDecision(
                    row=row,
                    decision=content["decision"],
                    kinds=tuple(SuspicionKind(kind) for kind in kinds),
                    actor=entry.actor,
                    reason=entry.reason,
                    time=entry.time,
                )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise IntegrityError(
                f"ledger entry {entry.seq} is no quarantine decision: {error}", hint="assay audit verify"
            ) from error
    return decisions


def decide(
    ledger: Ledger,
    project: str,
    report: ScreeningReport,
    *,
    rows: Sequence[str],
    decision: Choice,
    actor: str,
    reason: str,
) -> Entry:
    """Enter one decision about suspected rows into the ledger.

    Raises ConfigError without a reason, DataError without rows or for a row that is not suspected.
    """
    if len(reason.strip()) < 3:
        raise ConfigError("a decision needs a reason", hint="--reason 'why'")
    suspected: dict[str, set[str]] = {}
    for each in report.suspicions:
        suspected.setdefault(each.row, set()).add(each.kind.value)
    unknown = [row for row in rows if row not in suspected]
    if unknown or not rows:
        problem = f"row {unknown[0]} is not suspected" if unknown else "no row to decide on"
        raise DataError(problem, hint="see `assay quarantine list`")
    return ledger.append(
        Kind.NOTE,
        project=project,
        subject=report.content,
        actor=actor,
        reason=reason,
        details={_DETAIL: {"decision": decision, "rows": {row: sorted(suspected[row]) for row in rows}}},
    )
