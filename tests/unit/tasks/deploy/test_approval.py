"""What each state of a release means for deploy, and who may decide."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.config import load_project
from infra.errors import PromotionDenied
from infra.ledger import Kind, Ledger, ReleaseState
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy import approval
from tasks.deploy.approval import Move
from tasks.records import Decision
from tests.conftest import Configure

RELEASE = "sha256:" + "a" * 64


def workspace(tmp_path: Path, profile: str, **environment: str) -> Workspace:
    environ = {"ASSAY_HOME": str(tmp_path / "home"), **environment}
    project = load_project(profile=profile, environ=environ)
    return Workspace("default", project, FileStore(tmp_path / "store"), Ledger(project.ledger_url))


def waiting(tmp_path: Path, profile: str, **environment: str) -> Workspace:
    opened = workspace(tmp_path, profile, **environment)
    approval.request_approval(opened, RELEASE, {"unit": RELEASE})
    return opened


def person(name: str = "ada", decision: str = "approved") -> Decision:
    return Decision.model_validate(
        {
            "release": RELEASE,
            "decision": decision,
            "approver": name,
            "policy": "person",
            "reason": "looked at it",
        }
    )


@pytest.mark.parametrize("state", ["blocked", "rejected", "rolled-back", "quarantined", "something new"])
def test_states_that_are_never_deployed(state: str) -> None:
    assert approval.next_move(state) == Move.REFUSE


def test_states_that_go_on() -> None:
    assert approval.next_move(None) == Move.REQUEST
    assert approval.next_move("awaiting-approval") == Move.DECIDE
    assert approval.next_move("approved") == Move.ROLL_OUT
    assert approval.next_move("champion") == Move.SERVE


def test_policy_auto_is_refused_where_a_person_is_needed(tmp_path: Path) -> None:
    opened = waiting(tmp_path, "production")
    with pytest.raises(PromotionDenied, match="needs a person"):
        approval.record_decision(opened, approval.automatic_decision(RELEASE, "production"))
    assert opened.state().of(RELEASE) == "awaiting-approval"


@pytest.mark.parametrize("name", ["policy:auto", "policy:timeout", "   "])
def test_a_policy_is_not_a_person(tmp_path: Path, name: str) -> None:
    opened = waiting(tmp_path, "production")
    with pytest.raises(PromotionDenied, match="not a person"):
        approval.record_decision(opened, person(name))


def test_only_configured_approvers_decide(tmp_path: Path, configure: Configure) -> None:
    configs = configure(approval={"approvers": ["grace"]})
    opened = waiting(tmp_path, "production", ASSAY_CONFIGS=str(configs))
    with pytest.raises(PromotionDenied, match="may not decide"):
        approval.record_decision(opened, person("ada"))
    approval.record_decision(opened, person("grace"))
    assert opened.state().of(RELEASE) == "approved"


def test_a_decision_needs_a_release_that_waits(tmp_path: Path) -> None:
    opened = workspace(tmp_path, "production")
    with pytest.raises(PromotionDenied, match="unknown"):
        approval.record_decision(opened, person())


def test_rejection_is_recorded_and_final(tmp_path: Path) -> None:
    opened = waiting(tmp_path, "production")
    approval.record_decision(opened, person(decision="rejected"))
    assert approval.next_move(opened.state().of(RELEASE)) == Move.REFUSE
    with pytest.raises(PromotionDenied):
        approval.record_decision(opened, person())


def test_automatic_approval_says_that_nobody_was_asked(tmp_path: Path) -> None:
    opened = waiting(tmp_path, "embedded")
    approval.record_decision(opened, approval.automatic_decision(RELEASE, "embedded"))
    entry = opened.ledger.entries()[-1]
    assert (entry.kind, entry.actor) == (Kind.APPROVED, "policy:auto")
    assert "no person was asked" in entry.reason
    assert entry.details["policy"] == "auto"


def test_a_request_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    opened = workspace(tmp_path, "production")
    opened.ledger.append(
        Kind.CANDIDATE, project="triage", subject=RELEASE, actor="deploy", reason="killed after this"
    )
    approval.request_approval(opened, RELEASE, {})
    assert opened.state().of(RELEASE) == "awaiting-approval"


def test_nobody_decided_in_time() -> None:
    now = datetime.now(UTC)
    asked = ReleaseState(
        RELEASE, "awaiting-approval", (now - timedelta(seconds=61)).isoformat(), 1, "deploy", "r"
    )
    assert approval.has_expired(asked, 60, now)
    assert not approval.has_expired(asked, 62, now)
