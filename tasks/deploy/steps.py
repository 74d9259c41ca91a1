"""Deploy's work as Prefect tasks: each may run again after a kill and then changes nothing twice."""

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from infra.digest import hex_of
from infra.errors import DataError, IntegrityError, PromotionDenied
from infra.refusal import SIGNER_COUNTS_NO_MORE, Reason, VerificationError
from infra.signing import ReleaseManifest, read_part, recorded_manifest, verify_manifest
from infra.signing.choose import open_signer
from infra.signing.manifest import GATE_REPORT
from infra.stack import Endpoints
from infra.steps import step
from infra.workspace import Workspace
from tasks.deploy import aliases, approval, rollback, rollout
from tasks.deploy.approval import Move, next_move, refusal
from tasks.deploy.archive import archive_release, has_archive
from tasks.deploy.card.gather import gather_facts
from tasks.deploy.packaging import ReleaseFiles, package_release
from tasks.deploy.smoke import Expected
from tasks.deploy.voting.attempts import Answer
from tasks.deploy.voting.automatic import approve_automatically
from tasks.deploy.voting.cast import cast_by_code
from tasks.deploy.voting.expiry import expire, why_expired
from tasks.deploy.voting.question import Question, question_of
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.settle import settle
from tasks.deploy.voting.votes import was_answered
from tasks.records import EvidenceSet, GateReport, Release, Rollout, Validated

if TYPE_CHECKING:
    from infra.tracking import PhaseRun

_QUESTIONS = 3
_OUTDATED = frozenset({Reason.EXPIRED, Reason.TOO_OLD, Reason.POLICY_MISMATCH, *SIGNER_COUNTS_NO_MORE})


@step
def take_validated(workspace: Workspace, flow_run_id: str) -> Validated:
    """What this run deploys: fixed at its first start, so that none slips in while it waits."""
    mine = f"deploy/{flow_run_id}"
    validated = workspace.handover.get(mine, Validated) or workspace.handover.get("validated", Validated)
    if validated is None:
        raise DataError("nothing validated to deploy", hint="run validate first: assay run validate")
    workspace.handover.put(mine, validated)
    return validated


def release_of_unit(workspace: Workspace, unit: str, today: date | None = None) -> Release | None:
    """The newest release of this unit that the ledger knows: the same unit is the same release.

    None for one that would be requested anew on a waiver whose day has passed: the verdict of today needs a
    release of its own. One that expired, or was made under another trust policy or by a signer that counts no
    more, is packaged again; one that was refused stays refused. Raises IntegrityError when its directory does
    not verify.
    """
    known = [r for r in workspace.state().releases.values() if r.details.get("unit") == unit]
    for state in sorted(known, key=lambda each: each.seq, reverse=True):
        refused = next_move(state.state) == Move.REFUSE  # also when it has expired, or its key is void
        try:
            manifest, report = _packaged(workspace, state.release, refused=refused)
        except VerificationError as error:
            if error.reason in _OUTDATED and not refused:
                continue
            raise
        if next_move(state.state) == Move.REQUEST and report.lapsed(today or datetime.now(UTC).date()):
            return None
        return Release(
            digest=state.release,
            project=manifest.project,
            unit=manifest.unit,
            sequence=manifest.sequence,
            directory=str(workspace.releases / hex_of(state.release)),
        )
    return None


def _packaged(
    workspace: Workspace, release: str, *, refused: bool = False
) -> tuple[ReleaseManifest, GateReport]:
    """What a release directory says it is, and the verdict in it; raises IntegrityError."""
    directory = workspace.releases / hex_of(release)
    manifest = (
        recorded_manifest(directory, release)
        if refused
        else verify_manifest(directory, trust=workspace.trust)
    )
    return manifest, GateReport.model_validate_json(read_part(directory, manifest, GATE_REPORT))


@step
def package_and_sign(workspace: Workspace, validated: Validated) -> Release:
    """The signed release directory of this candidate; the one that exists when it was packaged before."""
    project, candidate = workspace.project, validated.candidate
    for state in workspace.state().releases.values():
        if state.details.get("unit") == candidate.unit:
            _expire_overdue(workspace, state.release)
    known = release_of_unit(workspace, candidate.unit)
    if known is not None:
        return known
    files = ReleaseFiles(
        prompt=candidate.prompt.definition,
        guard_yaml=project.path(project.guard).read_bytes(),
        access_yaml=project.path(project.access).read_bytes(),
    )
    signer = open_signer(workspace.project)
    evidence = EvidenceSet.model_validate_json(workspace.store.get_bytes(validated.evidence))
    return package_release(
        candidate,
        validated.report,
        store=workspace.store,
        releases_dir=workspace.releases,
        files=files,
        sequence=len(workspace.state().releases) + 1,
        signer=signer,
        trust=workspace.trust,
        evidence=evidence,
        facts=gather_facts(workspace, candidate, evidence, signer=str(signer.identity)),
    )


@step
def advance(workspace: Workspace, validated: Validated, release: Release, started_by: str) -> Move:
    """Enter what the ledger still lacks, up to the point where something has to be decided or done.

    `started_by` is the account that started this run, for four eyes.
    """
    name = release.digest
    if workspace.state().of(name) == "awaiting-approval":
        settle(workspace, name)  # killed between the last vote and what follows from it
    _expire_overdue(workspace, name)
    move = next_move(workspace.state().of(name))
    if move == Move.REQUEST:
        # Of the release, not of this night's validation: the same unit may have been packaged before.
        _, report = _packaged(workspace, name)
        if lapsed := report.lapsed(datetime.now(UTC).date()):
            raise PromotionDenied(
                f"the waiver of {lapsed[0].gate} ended on {lapsed[0].expires}", hint="assay run deploy"
            )
        approval.request_approval(
            workspace,
            name,
            report,
            unit=release.unit,
            started_by=list(dict.fromkeys((validated.started_by, started_by))),
            trained_by=validated.candidate.adapter.trained_by,
        )
        move = next_move(workspace.state().of(name))
        if workspace.project.approval.policy == "person":
            how = f"assay release approve {name} --reason …"
            _tell(workspace, "release.awaiting-approval", "A release waits for a decision", how, release)
    return move


def _expire_overdue(workspace: Workspace, release: str) -> None:
    if reason := why_expired(workspace, release):
        expire(workspace, release, reason)


@step
def keep_release(workspace: Workspace, release: Release) -> None:
    """In the bucket before it serves, where the store is one; a store in a directory lies beside releases."""
    if has_archive(workspace):
        archive_release(workspace, release.digest)


@step
def explain_refusal(workspace: Workspace, release: Release) -> str:
    """Why this release is not deployed."""
    return refusal(workspace.state().releases[release.digest])


@step
def decide_automatically(workspace: Workspace, release: Release) -> None:
    """Record the decision of policy `auto` as exactly that."""
    approve_automatically(workspace, release.digest)


@step
def ask_for_decision(workspace: Workspace, release: Release) -> Question | None:
    """What is put to people; None when it was decided, or has expired, meanwhile.

    Raises DecisionRefused when nobody could answer: no approver is listed, or another profile asked.
    """
    try:
        return question_of(workspace, release.digest)
    except DecisionRefused as refused:
        if refused.code in (Why.NOT_WAITING, Why.EXPIRED):
            return None
        raise


@step
def take_answer(workspace: Workspace, release: Release, answer: Answer, code: str, form: str) -> str:
    """Why a filled-in form does not count, in one line; empty when it does. Looked at once."""
    known = was_answered(workspace.ledger.entries(), form)
    if known is not None:
        return known.reason if "refused" in known.details else ""
    try:
        cast_by_code(workspace, release.digest, answer, code, form=form)
    except DecisionRefused as refused:
        message = f"{answer.decision} by {answer.approver}: {refused.message}"
        _tell(workspace, "release.decision-refused", "A decision was refused", message, release, "warning")
        return refused.message
    return ""


def _tell(
    workspace: Workspace,
    kind: str,
    title: str,
    message: str,
    release: Release,
    severity: Literal["info", "warning"] = "info",
) -> None:
    from infra.notify import Event, notify

    event = Event.now(kind, release.project, title, message, severity, release.digest)
    notify(workspace.project.notify.webhook, event)


@step
def stage_release(workspace: Workspace, endpoints: Endpoints, validated: Validated, release: Release) -> None:
    """Verified, loaded and asked what validation asked, before any client sees it."""
    rollout.stage(workspace, endpoints, release.digest, _questions(workspace, validated))


@step
def promote_release(workspace: Workspace, release: Release) -> None:
    """One ledger entry: this release is champion. Raises PromotionDenied when its approval lapsed."""
    state = workspace.state()
    if reason := why_expired(workspace, release.digest):
        raise PromotionDenied(f"{release.digest}: {reason}", hint="asked anew by: assay run deploy")
    rollout.promote(workspace, release.digest, expected_head=state.head, details={"unit": release.unit})


@step
def serve_champion(workspace: Workspace, endpoints: Endpoints, validated: Validated) -> Rollout:
    """Routes, gateway and aliases follow the ledger; asked again by the name that clients use."""
    served = rollout.reconcile(workspace, endpoints, questions=_questions(workspace, validated))
    aliases.move_aliases(workspace, served, _tags(validated))
    return served


def _tags(validated: Validated) -> dict[str, str]:
    candidate = validated.candidate
    return {
        "unit": candidate.unit,
        "base": candidate.base.digest,
        "adapter": candidate.adapter.digest,
        "dataset": candidate.dataset.digest,
        "evidence": validated.evidence,
    }


@step
def project_to_registry(workspace: Workspace, served: Rollout) -> None:
    """Move the registry's aliases to what the ledger says."""
    aliases.move_aliases(workspace, served)


@step
def restore_previous(workspace: Workspace, endpoints: Endpoints, actor: str, reason: str) -> Rollout:
    """The champion before this one serves again."""
    return rollback.roll_back(workspace, endpoints, actor=actor, reason=reason)


@step
def track_deployment(run: "PhaseRun", validated: Validated, release: Release, served: Rollout) -> None:
    """What was rolled out, on the run in MLflow: open source MLflow has no deployment of its own."""
    run.params(
        {
            "release": release.digest,
            "unit": validated.candidate.unit,
            "generation": served.generation,
            "previous": served.previous or "",
            "gateway": served.gateway,
        }
    )


@step
def announce(workspace: Workspace, release: Release) -> None:
    """Tell people what is live."""
    _tell(workspace, "release.champion", "Live", f"{release.digest} is live", release)


def _questions(workspace: Workspace, validated: Validated) -> list[Expected]:
    """Texts of the test split that the candidate answered with the widest margin.

    A wide margin keeps rounding between batch sizes from flipping an answer; the labels are those that
    were measured, right or wrong.
    """
    import io

    import pyarrow.parquet as pq

    evidence = EvidenceSet.model_validate_json(workspace.store.get_bytes(validated.evidence))
    accuracy = next((e for e in evidence.evidence if e.metric == "accuracy" and e.details), None)
    if accuracy is None or accuracy.details is None:
        raise IntegrityError("the evidence has no item results for the smoke test", hint="validate again")
    lines = workspace.store.get_bytes(accuracy.details).splitlines()
    items = [json.loads(line) for line in lines]
    test = workspace.store.get_bytes(validated.candidate.dataset.splits["test"])
    texts = pq.read_table(io.BytesIO(test), columns=["text"]).column("text").to_pylist()
    order = sorted(range(len(items)), key=lambda index: -_margin(items[index].get("log_probs") or {}))
    chosen: dict[str, int] = {}
    for index in order:
        chosen.setdefault(items[index]["predicted"], index)
    return [Expected(texts[i], items[i]["predicted"]) for i in list(chosen.values())[:_QUESTIONS]]


def _margin(log_probs: dict[str, float]) -> float:
    best = sorted(log_probs.values(), reverse=True)[:2]
    return best[0] - best[1] if len(best) == 2 else 0.0
