"""What each state of a release means for deploy, and who may decide."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from infra.config import load_project
from infra.digest import digest_bytes
from infra.errors import PromotionDenied
from infra.ledger import Entry, Kind, Ledger, ReleaseState
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy import approval
from tasks.deploy.approval import Move
from tasks.records import Decision, GateReport, Verdict, Waiver
from tests.conftest import Configure
from tests.unit.tasks.deploy.samples import make_evidence, make_report

PASSED = make_report(digest_bytes(b"unit"), make_evidence(digest_bytes(b"unit")))
RELEASE, OTHER = ("sha256:" + digit * 64 for digit in "ab")


def workspace(tmp_path: Path, profile: str, **environment: str) -> Workspace:
    environ = {"ASSAY_HOME": str(tmp_path / "home"), **environment}
    project = load_project(profile=profile, environ=environ)
    return Workspace("default", project, FileStore(tmp_path / "store"), Ledger(project.ledger_url))


def waiting(tmp_path: Path, profile: str, **environment: str) -> Workspace:
    opened = workspace(tmp_path, profile, **environment)
    approval.request_approval(opened, RELEASE, PASSED, {"unit": RELEASE})
    return opened


def person(name: str = "ada", decision: str = "approved", release: str = RELEASE) -> Decision:
    return Decision.model_validate(
        {
            "release": release,
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


def enter(opened: Workspace, kind: Kind, subject: str, details: dict[str, str] | None = None) -> None:
    opened.ledger.append(
        kind, project="triage", subject=subject, actor="deploy", reason="passed", details=details
    )


def requested(tmp_path: Path) -> None:
    waiting(tmp_path, "production")


def approved(tmp_path: Path) -> None:
    approval.record_decision(waiting(tmp_path, "production"), person())


def rejected(tmp_path: Path) -> None:
    approval.record_decision(waiting(tmp_path, "production"), person(decision="rejected"))


def cut_off(tmp_path: Path) -> None:
    """Killed between the two entries of a request."""
    opened = workspace(tmp_path, "production")
    enter(opened, Kind.CANDIDATE, RELEASE, {"policy": "person", "profile": "production"})


def before_requests_named_a_policy(tmp_path: Path) -> None:
    """A ledger of an older version: only the decision carries its policy."""
    opened = workspace(tmp_path, "production")
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL):
        enter(opened, kind, RELEASE)
    enter(opened, Kind.APPROVED, RELEASE, {"policy": "person"})


@pytest.mark.parametrize(
    "strict",
    [requested, approved, rejected, cut_off, before_requests_named_a_policy],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("profile", ["embedded", "thorough", "blocked"])
def test_no_profile_loosens_a_home_in_which_persons_decided(
    tmp_path: Path, strict: Callable[[Path], None], profile: str
) -> None:
    strict(tmp_path)
    loose = workspace(tmp_path, profile)
    approval.request_approval(loose, OTHER, PASSED, {"unit": OTHER})
    with pytest.raises(PromotionDenied, match="need a person's decision here: ledger entry") as denied:
        approval.record_decision(loose, approval.automatic_decision(OTHER, profile))
    assert "ASSAY_HOME" in denied.value.hint
    assert loose.state().of(OTHER) == "awaiting-approval"
    approval.record_decision(workspace(tmp_path, "production"), person(release=OTHER))
    assert loose.state().of(OTHER) == "approved"


def test_the_very_release_that_waits_for_a_person_is_not_approved_by_another_profile(tmp_path: Path) -> None:
    waiting(tmp_path, "production")
    loose = workspace(tmp_path, "embedded")
    with pytest.raises(PromotionDenied, match="profile 'production'"):
        approval.record_decision(loose, approval.automatic_decision(RELEASE, "embedded"))
    assert loose.state().of(RELEASE) == "awaiting-approval"


def test_what_happens_while_it_is_decided_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = waiting(tmp_path, "embedded")
    read = opened.ledger.entries

    def read_and_lose_the_race() -> list[Entry]:
        seen = read()
        approval.request_approval(workspace(tmp_path, "production"), OTHER, PASSED, {"unit": OTHER})
        return seen

    monkeypatch.setattr(opened.ledger, "entries", read_and_lose_the_race)
    with pytest.raises(PromotionDenied, match="moved on"):
        approval.record_decision(opened, approval.automatic_decision(RELEASE, "embedded"))
    assert workspace(tmp_path, "embedded").state().of(RELEASE) == "awaiting-approval"


def test_another_project_of_the_same_ledger_is_not_pinned(tmp_path: Path) -> None:
    opened = workspace(tmp_path, "embedded")
    opened.ledger.append(
        Kind.CANDIDATE,
        project="tickets",
        subject=OTHER,
        actor="deploy",
        reason="passed",
        details={"policy": "person"},
    )
    approval.request_approval(opened, RELEASE, PASSED, {})
    approval.record_decision(opened, approval.automatic_decision(RELEASE, "embedded"))
    assert opened.state().of(RELEASE) == "approved"


def test_that_nobody_answered_in_time_pins_nothing(tmp_path: Path) -> None:
    opened = waiting(tmp_path, "embedded")
    approval.record_decision(opened, person("policy:timeout", decision="expired"))
    approval.request_approval(opened, RELEASE, PASSED, {})
    approval.record_decision(opened, approval.automatic_decision(RELEASE, "embedded"))
    assert opened.state().of(RELEASE) == "approved"


def test_an_older_ledger_without_policies_goes_on_by_itself(tmp_path: Path) -> None:
    opened = workspace(tmp_path, "embedded")
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION):
        enter(opened, kind, OTHER)
    enter(opened, Kind.BLOCKED, "sha256:" + "c" * 64, {"policy": "sha256:" + "d" * 64})
    approval.request_approval(opened, RELEASE, PASSED, {})
    approval.record_decision(opened, approval.automatic_decision(RELEASE, "embedded"))
    assert opened.state().of(RELEASE) == "approved"


def test_a_request_names_the_policy_that_governs_it(tmp_path: Path) -> None:
    opened = waiting(tmp_path, "production")
    governed = {"policy": "person", "profile": "production"}
    assert [entry.details for entry in opened.ledger.entries()] == [{"unit": RELEASE, **governed}, governed]


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


def test_a_request_with_a_waived_gate_says_who_answers_for_which_gate_until_when(tmp_path: Path) -> None:
    opened = workspace(tmp_path, "production")
    approval.request_approval(opened, RELEASE, waived(), {})
    entries = opened.ledger.entries()
    assert [entry.kind for entry in entries] == [Kind.CANDIDATE, Kind.AWAITING_APPROVAL]
    for entry in entries:
        assert entry.reason == "1 gates pass, 1 waived: accuracy-floor by grace until 2027-01-31"


def test_an_automatic_approval_does_not_say_that_all_gates_passed(tmp_path: Path) -> None:
    opened = workspace(tmp_path, "embedded")
    approval.request_approval(opened, RELEASE, waived(), {})
    approval.record_decision(opened, approval.automatic_decision(RELEASE, "embedded"))
    reasons = [entry.reason for entry in opened.ledger.entries()]
    assert not [reason for reason in reasons if "all gates" in reason]


def test_a_request_without_waivers_names_none(tmp_path: Path) -> None:
    reasons = {entry.reason for entry in waiting(tmp_path, "production").ledger.entries()}
    assert reasons == {"2 gates pass"}


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
    approval.request_approval(opened, RELEASE, PASSED, {})
    assert opened.state().of(RELEASE) == "awaiting-approval"


def test_nobody_decided_in_time() -> None:
    now = datetime.now(UTC)
    asked = ReleaseState(
        RELEASE, "awaiting-approval", (now - timedelta(seconds=61)).isoformat(), 1, "deploy", "r"
    )
    assert approval.has_expired(asked, 60, now)
    assert not approval.has_expired(asked, 62, now)
