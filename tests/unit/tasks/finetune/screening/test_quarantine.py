"""Held back until a person says otherwise, by name, in the ledger."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.errors import ConfigError, DataError, IntegrityError
from infra.ledger import Kind, Ledger
from tasks.finetune.screening.quarantine import decide, hold_back, read_decisions
from tasks.finetune.screening.rows import content_digest, row_id
from tasks.records import Row
from tasks.records.screening import ScreeningReport, Suspicion, SuspicionKind
from tests.unit.tasks.finetune.screening.samples import make_rows

ROWS = make_rows(30)
SUSPECT, WEAK = row_id(ROWS[4]), row_id(ROWS[9])


def suspicion(row: str, kind: SuspicionKind, held: bool) -> Suspicion:
    return Suspicion(row=row, kind=kind, score=1, held=held)


def report_on(*more: Suspicion, rows: list[Row] = ROWS) -> ScreeningReport:
    return ScreeningReport(
        rows=len(rows),
        content=content_digest(map(row_id, rows)),
        settings="sha256:" + "0" * 64,
        guard="sha256:" + "0" * 64,
        suspicions=(
            suspicion(SUSPECT, SuspicionKind.TRIGGER, True),
            suspicion(WEAK, SuspicionKind.FLIP, False),
            *more,
        ),
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


def say(ledger: Ledger, decision: str, *rows: str, reason: str = "I read them") -> None:
    decide(
        ledger,
        "triage",
        report_on(),
        rows=rows,
        decision=decision,  # type: ignore[arg-type]  # parametrised
        actor="ada",
        reason=reason,
    )


def divided(ledger: Ledger, report: ScreeningReport) -> tuple[int, int, int]:
    held = hold_back(ROWS, report, read_decisions(ledger.entries(), "triage"))
    return len(held.kept), len(held.undecided), len(held.removed)


def test_strong_evidence_is_held_back_and_weak_is_trained_on(ledger: Ledger) -> None:
    assert divided(ledger, report_on()) == (29, 1, 0)


def test_a_report_about_other_rows_is_refused() -> None:
    with pytest.raises(IntegrityError, match="report is about"):
        hold_back(ROWS[1:], report_on(), {})


def test_released_rows_are_trained_on(ledger: Ledger) -> None:
    say(ledger, "release", SUSPECT)
    assert divided(ledger, report_on()) == (30, 0, 0)
    decision = read_decisions(ledger.entries(), "triage")[SUSPECT]
    assert (decision.actor, decision.reason) == ("ada", "I read them")


def test_a_new_reason_asks_again(ledger: Ledger) -> None:
    say(ledger, "release", SUSPECT)
    again = report_on(suspicion(SUSPECT, SuspicionKind.INJECTION, True))
    assert divided(ledger, again) == (29, 1, 0)


def test_removed_rows_stay_out_even_when_nothing_suspects_them_any_more(ledger: Ledger) -> None:
    say(ledger, "remove", WEAK)
    assert divided(ledger, report_on()) == (28, 1, 1)


def test_the_newest_decision_counts(ledger: Ledger) -> None:
    say(ledger, "release", SUSPECT)
    say(ledger, "remove", SUSPECT)
    assert divided(ledger, report_on()) == (29, 0, 1)


def test_a_decision_that_was_altered_releases_nothing(ledger: Ledger) -> None:
    say(ledger, "release", WEAK)
    entry = ledger.entries()[0]
    forged = replace(entry, details={"quarantine": {"decision": "release", "rows": {SUSPECT: ["trigger"]}}})
    with pytest.raises(IntegrityError, match="altered"):
        read_decisions([forged], "triage")


def test_another_project_decides_for_itself(ledger: Ledger) -> None:
    say(ledger, "release", SUSPECT)
    assert read_decisions(ledger.entries(), "other") == {}


@pytest.mark.parametrize("reason", ["", "  ", "ok"])
def test_no_decision_without_a_reason(ledger: Ledger, reason: str) -> None:
    with pytest.raises(ConfigError, match="needs a reason"):
        say(ledger, "release", SUSPECT, reason=reason)
    assert ledger.entries() == []


@pytest.mark.parametrize("rows", [(), (row_id(ROWS[0]),)])
def test_no_decision_about_rows_that_are_not_suspected(ledger: Ledger, rows: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="row"):
        say(ledger, "release", *rows)
    assert ledger.entries() == []


@pytest.mark.parametrize(
    "content",
    [[], {"rows": {}}, {"decision": "keep", "rows": {SUSPECT: []}}, {"decision": "release", "rows": []}],
)
def test_an_entry_that_is_no_decision_stops_everything(ledger: Ledger, content: object) -> None:
    ledger.append(
        Kind.NOTE, project="triage", subject="x", actor="eve", reason="why", details={"quarantine": content}
    )
    if content == {"rows": {}}:
        assert read_decisions(ledger.entries(), "triage") == {}
    else:
        with pytest.raises(IntegrityError, match="no quarantine decision"):
            read_decisions(ledger.entries(), "triage")
