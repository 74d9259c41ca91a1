"""What each state of a release means for deploy, and what a request for a decision says."""

from datetime import date
from pathlib import Path

import pytest

from infra.config import load_project
from infra.digest import digest_bytes
from infra.ledger import Kind, Ledger
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy import approval
from tasks.deploy.approval import Move
from tasks.deploy.packaging import report_digest
from tasks.records import GateReport, Verdict, Waiver
from tests.unit.tasks.deploy.samples import make_evidence, make_report

UNIT = digest_bytes(b"unit")
PASSED = make_report(UNIT, make_evidence(UNIT))
RELEASE = "sha256:" + "a" * 64


@pytest.fixture
def opened(tmp_path: Path) -> Workspace:
    project = load_project(profile="production", environ={"ASSAY_HOME": str(tmp_path / "home")})
    return Workspace("default", project, FileStore(tmp_path / "store"), Ledger(project.ledger_url))


def ask(opened: Workspace, report: GateReport = PASSED) -> None:
    approval.request_approval(
        opened, RELEASE, report, unit=UNIT, started_by=["night", "ada"], trained_by="bob"
    )


@pytest.mark.parametrize("state", ["blocked", "rejected", "rolled-back", "quarantined", "something new"])
def test_states_that_are_never_deployed(state: str) -> None:
    assert approval.next_move(state) == Move.REFUSE


def test_states_that_go_on() -> None:
    assert approval.next_move(None) == Move.REQUEST
    assert approval.next_move("expired") == Move.REQUEST
    assert approval.next_move("awaiting-approval") == Move.DECIDE
    assert approval.next_move("approved") == Move.ROLL_OUT
    assert approval.next_move("champion") == Move.SERVE


def test_a_request_says_what_it_is_about_who_made_it_and_which_policy_governs_it(opened: Workspace) -> None:
    ask(opened)
    governed = {"policy": "person", "profile": "production"}
    asked = {
        "gate_report": report_digest(PASSED),
        "gates": PASSED.policy,
        "started_by": ["night", "ada"],
        "trained_by": "bob",
    }
    details = [entry.details for entry in opened.ledger.entries()]
    assert details == [{"unit": UNIT, **governed}, {**asked, **governed}]


def test_a_request_that_was_cut_off_goes_on(opened: Workspace) -> None:
    opened.ledger.append(
        Kind.CANDIDATE, project="triage", subject=RELEASE, actor="deploy", reason="killed after this"
    )
    ask(opened)
    assert opened.state().of(RELEASE) == "awaiting-approval"


def waived() -> GateReport:
    """Two gates: one that a person answers for, one that passes."""
    floor, gain = PASSED.results
    answered = Waiver(
        candidate=PASSED.candidate,
        gate=floor.gate,
        owner="grace",
        reason="few rows this week",
        expires=date(2027, 1, 31),
    )
    floor = floor.model_copy(update={"verdict": Verdict.INCONCLUSIVE, "waiver": answered})
    return GateReport.model_validate(PASSED.model_copy(update={"results": (floor, gain)}).model_dump())


def test_a_request_with_a_waived_gate_says_who_answers_for_which_gate_until_when(opened: Workspace) -> None:
    ask(opened, waived())
    entries = opened.ledger.entries()
    assert [entry.kind for entry in entries] == [Kind.CANDIDATE, Kind.AWAITING_APPROVAL]
    for entry in entries:
        assert entry.reason == "1 gates pass, 1 waived: accuracy-floor by grace until 2027-01-31"


def test_a_request_without_waivers_names_none(opened: Workspace) -> None:
    ask(opened)
    assert {entry.reason for entry in opened.ledger.entries()} == {"2 gates pass"}
