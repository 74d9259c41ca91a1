"""What deploy enters before and after a decision, on a release that really is packaged."""

from pathlib import Path

import pytest
import yaml

from infra.config.source import read_yaml
from infra.digest import canonical_json
from infra.errors import PromotionDenied
from infra.ledger import Kind
from infra.refusal import VerificationError
from infra.signing import ensure_key, load_private_key
from infra.signing.rotation import rotate_key
from infra.signing.signer import KeySigner
from infra.workspace import Workspace
from tasks.deploy import steps
from tasks.deploy.approval import Move
from tasks.deploy.card import CardFacts
from tasks.deploy.packaging import report_digest
from tasks.deploy.rotation import replace_signing_key
from tasks.deploy.voting.attempts import Answer
from tasks.deploy.voting.automatic import approve_automatically
from tasks.deploy.voting.installation import trusted_of
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.records import Validated
from tests.conftest import Configure
from tests.unit.tasks.deploy.samples import make_sample, package
from tests.unit.tasks.deploy.voting.people import Town


@pytest.fixture
def town(tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    town = Town(tmp_path, configure())
    town.person("ada", totp=True)
    return town


class Run:
    """A deploy run up to the roll-out, without Prefect around it."""

    def __init__(self, workspace: Workspace, scratch: Path) -> None:
        self.workspace = workspace
        sample = make_sample(workspace.store, scratch)
        self.release = package(
            sample,
            store=workspace.store,
            releases_dir=workspace.releases,
            signer=KeySigner(load_private_key(ensure_key(workspace.home).private)),
            trust=workspace.trust,
            facts=CardFacts(title="Incident triage"),
        )
        # Validated again on another night: the verdict is the same, the report is not.
        self.report = sample.report.model_copy(update={"evidence": "sha256:" + "e" * 64})
        adapter = sample.candidate.adapter.model_copy(update={"trained_by": "bob"})
        self.validated = Validated(
            candidate=sample.candidate.model_copy(update={"adapter": adapter}),
            evidence=workspace.store.put_bytes(canonical_json(sample.evidence.model_dump(mode="json"))),
            report=self.report,
            run_id="1",
            started_by="night",
        )
        self.packaged = sample.report

    def advance(self) -> Move:
        return steps.advance.fn(self.workspace, self.validated, self.release, "carol")  # type: ignore[attr-defined,no-any-return]  # a task

    def question(self) -> object:
        return steps.ask_for_decision.fn(self.workspace, self.release)  # type: ignore[attr-defined]  # a task

    def answer(self, code: str, form: str, decision: str = "approve") -> str:
        answer = Answer.model_validate({"approver": "ada", "decision": decision, "reason": "looked at it"})
        return steps.take_answer.fn(self.workspace, self.release, answer, code, form)  # type: ignore[attr-defined,no-any-return]  # a task


def test_the_request_is_about_the_report_in_the_release_and_names_who_made_it(
    town: Town, tmp_path: Path
) -> None:
    run = Run(town.open(), tmp_path)
    assert run.advance() == Move.DECIDE
    asked = town.entries()[-1]
    assert asked.kind == Kind.AWAITING_APPROVAL
    assert asked.details["gate_report"] == report_digest(run.packaged) != report_digest(run.report)
    assert (asked.details["started_by"], asked.details["trained_by"]) == (["night", "carol"], "bob")
    assert run.question() is not None
    assert run.advance() == Move.DECIDE
    assert len(town.entries()) == 2


def test_a_form_is_looked_at_once(town: Town, tmp_path: Path) -> None:
    run = Run(town.open(), tmp_path)
    run.advance()
    assert "this is not ada's code" in run.answer("12345", "run/form-0")
    entries = len(town.entries())
    assert "this is not ada's code" in run.answer(town.code("ada"), "run/form-0")
    assert len(town.entries()) == entries
    assert run.answer(town.code("ada"), "run/form-1") == ""
    assert run.advance() == Move.ROLL_OUT
    assert run.answer("", "run/form-1") == ""
    assert run.question() is None


def test_an_approval_under_other_rules_is_not_rolled_out(town: Town, tmp_path: Path) -> None:
    run = Run(town.open(), tmp_path)
    run.advance()
    run.answer(town.code("ada"), "run/form-0")
    town.person("grace")
    with pytest.raises(PromotionDenied, match="rules for approval changed"):
        steps.promote_release.fn(run.workspace, run.release)  # type: ignore[attr-defined]  # a task
    assert run.advance() == Move.DECIDE
    kinds = [entry.kind for entry in town.entries()]
    assert kinds[-3:] == [Kind.EXPIRED, Kind.CANDIDATE, Kind.AWAITING_APPROVAL]


def test_a_rejection_is_not_rolled_out(town: Town, tmp_path: Path) -> None:
    run = Run(town.open(), tmp_path)
    run.advance()
    assert run.answer(town.code("ada"), "run/form-0", "reject") == ""
    assert run.advance() == Move.REFUSE


def test_without_approvers_nobody_is_asked(town: Town, tmp_path: Path) -> None:
    town.remove("ada")
    run = Run(town.open(), tmp_path)
    assert run.advance() == Move.DECIDE
    with pytest.raises(DecisionRefused, match="lists no approver") as caught:
        run.question()
    assert caught.value.code == Why.NOBODY_LISTED


def keep_apart(town: Town, *stages: str) -> None:
    """An approval must not be signed by whoever signed these stages."""
    file = town.configs / "trust.yaml"
    values = read_yaml(file).values
    values["stages"]["approval"]["not_same_as"] = list(stages)
    file.write_text(yaml.safe_dump(values))


@pytest.mark.parametrize("stage", ["release", "weights", "gates", "provenance"])
def test_who_signed_the_release_does_not_sign_its_approval(town: Town, tmp_path: Path, stage: str) -> None:
    keep_apart(town, stage)
    run = Run(town.open(), tmp_path)
    run.advance()
    assert f"who also signed {stage}" in run.answer(town.code("ada"), "run/form-0")
    assert town.refusals() == [Why.SAME_SIGNER]
    assert town.sign("ada", release=run.release.digest).state == "approved"
    assert run.advance() == Move.ROLL_OUT


def test_another_key_makes_the_installation_nobody_else(town: Town, tmp_path: Path) -> None:
    keep_apart(town, "release")
    run = Run(town.open(), tmp_path)
    run.advance()
    rotate_key(town.home)
    assert "who also signed release" in run.answer(town.code("ada"), "run/form-0")
    assert town.state(run.release.digest) == "awaiting-approval"


def test_a_vote_by_a_key_that_is_void_lets_the_request_expire(town: Town, tmp_path: Path) -> None:
    town.person("grace", totp=True)
    town.write(quorum=2)
    run = Run(town.open(), tmp_path)
    run.advance()
    assert run.answer(town.code("ada"), "run/form-0") == ""
    assert town.state(run.release.digest) == "awaiting-approval"
    replace_signing_key(run.workspace, actor="ada", reason="a laptop was lost", compromised=True)
    assert town.enter_code("grace", release=run.release.digest).state == "expired"
    assert "not trusted" in town.entries()[-1].reason


def test_a_key_that_the_policy_does_not_let_approve_counts_for_no_code(town: Town, tmp_path: Path) -> None:
    run = Run(town.open(), tmp_path)
    run.advance()
    old = rotate_key(town.home).old
    values = read_yaml(town.configs / "trust.yaml").values
    values["stages"]["approval"]["signers"] = [{"key": old}]
    (town.configs / "trust.yaml").write_text(yaml.safe_dump(values))
    trusted = trusted_of(town.open())
    assert [key.key_id for key in trusted.installation] == [old]


def test_an_approval_lapses_when_the_trust_policy_no_longer_lets_its_signer_approve(
    town: Town, tmp_path: Path
) -> None:
    run = Run(town.open(), tmp_path)
    run.advance()
    town.sign("ada", release=run.release.digest)
    assert run.advance() == Move.ROLL_OUT
    file = town.configs / "trust.yaml"
    revoked = {"keys": [town.rules().voters["ada"].key_id]}
    file.write_text(yaml.safe_dump(read_yaml(file).values | {"revoked": revoked}))
    with pytest.raises(PromotionDenied, match="revoked"):
        steps.promote_release.fn(run.workspace, run.release)  # type: ignore[attr-defined]  # a task
    assert run.advance() == Move.DECIDE
    assert town.entries()[-3].kind == Kind.EXPIRED


@pytest.mark.parametrize("not_same_as", [[], ["gates"]])
def test_nothing_approves_by_itself_where_the_installation_may_not(
    tmp_path: Path, town: Town, not_same_as: list[str]
) -> None:
    file = town.configs / "trust.yaml"
    values = read_yaml(file).values
    if not_same_as:
        values["stages"]["approval"]["not_same_as"] = not_same_as
    else:
        values["stages"]["approval"]["signers"] = [{"key": town.rules().voters["ada"].key_id}]
        values["public_keys"] = [str(town.root / "people" / "ada" / "signing.pub")]
    file.write_text(yaml.safe_dump(values))
    run = Run(town.open("embedded"), tmp_path)
    assert run.advance() == Move.DECIDE
    with pytest.raises(VerificationError):
        approve_automatically(run.workspace, run.release.digest)
    assert town.state(run.release.digest) == "awaiting-approval"
