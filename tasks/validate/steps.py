"""Validate's work as Prefect tasks: compose the unit, measure, show, judge it, record a block."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.config.lookup import setting_digest, setting_value
from infra.digest import canonical_json, digest_bytes, digest_file, digest_json
from infra.errors import DataError
from infra.ledger import Kind, local_actor
from infra.steps import step
from infra.workspace import Workspace
from tasks.records import Candidate, Developed, EvidenceSet, FineTuned, Validated
from tasks.records.fairness import FairnessReport
from tasks.validate.brought import with_evidence
from tasks.validate.gates import judge, load_gates
from tasks.validate.waivers import waivers_of

if TYPE_CHECKING:
    from infra.tracking import PhaseRun

_FAIRNESS = "counterfactual_flips"
"""The metric whose details are the fairness report: the check always brings it."""


@step
def compose_candidate(workspace: Workspace) -> Candidate:
    """The whole served unit, by digest; raises DataError when a phase before has not run."""
    developed = workspace.handover.get("developed", Developed)
    tuned = workspace.handover.get("finetuned", FineTuned)
    if developed is None or tuned is None:
        raise DataError("nothing to validate yet", hint="run develop and finetune first")
    adapter = tuned.adapter
    made_of = (adapter.base, adapter.dataset, adapter.prompt)
    if made_of != (developed.base.digest, developed.dataset.digest, developed.prompt.digest):
        raise DataError(
            "the adapter was trained on something else than develop handed over last",
            hint="run finetune again",
        )
    project = workspace.project
    guard = digest_bytes(project.path(project.guard).read_bytes())
    access = digest_bytes(project.path(project.access).read_bytes())
    unit = digest_json(
        {
            "project": project.name,
            "base": developed.base.digest,
            "adapter": adapter.digest,
            "prompt": developed.prompt.digest,
            "guard": guard,
            "access": access,
        }
    )
    return Candidate(
        project=project.name,
        base=developed.base,
        adapter=adapter,
        prompt=developed.prompt,
        dataset=developed.dataset,
        requirements=developed.requirements,
        provenance=tuned.provenance,
        guard=guard,
        access=access,
        config=project.digest,
        unit=unit,
    )


@step
def measure(workspace: Workspace, candidate: Candidate) -> EvidenceSet:
    """What the phases before measured of this very candidate; the checks measure the rest."""
    brought = workspace.handover.get("finetuned", FineTuned)
    nothing = EvidenceSet(candidate=candidate.unit, evidence=(), seconds=0)
    return with_evidence(nothing, candidate, brought.evidence if brought else ())


@step
def show_fairness(workspace: Workspace, run: "PhaseRun", evidence: EvidenceSet) -> None:
    """The fairness report beside the run, as document and page; nothing where fairness was not measured.

    Raises IntegrityError when the report in the store is not what was measured.
    """
    from tasks.validate.fairness.page import fairness_page

    measured = (item.details for item in evidence.evidence if item.metric == _FAIRNESS)
    details = next(measured, None)
    if details is None:
        return
    report = FairnessReport.model_validate_json(workspace.store.get_bytes(details))
    run.artifact("fairness.json", report.model_dump(mode="json"))
    run.text("fairness.html", fairness_page(report))


@step
def judge_candidate(
    workspace: Workspace, run: "PhaseRun", candidate: Candidate, evidence: EvidenceSet
) -> Validated:
    """The gates' verdict over this evidence, computed now and logged; evidence is stored before."""
    project = workspace.project
    stored = workspace.store.put_bytes(canonical_json(evidence.model_dump(mode="json")))
    champion = next((e.inputs["champion"] for e in evidence.evidence if "champion" in e.inputs), None)
    policy, today = load_gates(project.path(project.gates)), datetime.now(UTC).date()
    signed = waivers_of(workspace, today)
    report = judge(
        policy,
        evidence,
        requirements=candidate.requirements,
        has_champion=workspace.state().champion is not None,
        candidate=candidate.unit,
        champion=champion,
        settings={name: setting_digest(project, name) for name in candidate.requirements.settings},
        source=digest_file(project.path(project.requirements)),
        off=policy.settings_off(lambda name: setting_value(project, name)),
        waivers=signed.waivers,
        refused=signed.refused,
        today=today,
    )
    run.metrics({item.metric: item.value for item in evidence.evidence})
    run.params({"candidate": candidate.unit, "verdict": report.verdict.value, "evidence": stored})
    run.artifact("gate-report.json", report.model_dump(mode="json"))
    return Validated(
        candidate=candidate, evidence=stored, report=report, run_id=run.id, started_by=local_actor()
    )


@step
def record_block(workspace: Workspace, validated: Validated) -> str:
    """Enter the block into the ledger and tell people; returns the first reason."""
    from infra.notify import Event, notify

    report = validated.report
    message = report.headline
    workspace.handover.remove("validated")
    workspace.ledger.append(
        Kind.BLOCKED,
        project=workspace.project.name,
        subject=validated.candidate.unit,
        actor="validate",
        reason=message,
        details={
            "evidence": validated.evidence,
            "policy": report.policy,
            "profile": workspace.project.profile,
        },
    )
    notify(
        workspace.project.notify.webhook,
        Event.now("release.blocked", workspace.project.name, "Blocked", message, "warning", report.candidate),
    )
    return message
