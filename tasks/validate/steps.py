"""Validate's work as Prefect tasks: compose the unit, measure it, judge it, record a block."""

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.code import code_digest
from infra.config.lookup import setting_digest
from infra.digest import canonical_json, digest_bytes, digest_file, digest_json, hex_of
from infra.errors import DataError
from infra.ledger import Kind
from infra.scale import mapper
from infra.splits import read_split
from infra.steps import step
from infra.workspace import Workspace
from tasks.records import Candidate, Developed, EvidenceSet, FineTuned, Row, Validated
from tasks.records.record import Digest, Record
from tasks.validate.benchmark import Measured, benchmark_evidence, score_items
from tasks.validate.brought import with_evidence
from tasks.validate.gates import judge, load_gates
from tasks.validate.items import ItemResult, dump_items, load_items

if TYPE_CHECKING:
    from infra.tracking import PhaseRun

_CODE = (
    "tasks.validate.items",
    "infra.scale.scoring",
    "infra.guard.canonicalise",
    "infra.models",
    "infra.normalisation",
    "infra.prompts",
)


class Scored(Record):
    """Item results of one model on one split, in the store."""

    items: Digest
    seconds: float


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
    """Base, candidate and champion on the same frozen items, and what the phases before measured."""
    prompt = candidate.prompt.definition
    base = _score(workspace, candidate, candidate.base.digest, None, prompt)
    tuned = _score(workspace, candidate, candidate.base.digest, candidate.adapter.digest, prompt)
    measured = benchmark_evidence(
        Measured(candidate.unit, _items(workspace, tuned), tuned.items),
        Measured(candidate.base.digest, _items(workspace, base), base.items),
        _champion(workspace, candidate),
        dataset=candidate.dataset.content["test"],
        # Of the measurements, whenever they were made: the same evidence is the same bytes.
        seconds=base.seconds + tuned.seconds,
    )
    brought = workspace.handover.get("finetuned", FineTuned)
    return with_evidence(measured, candidate, brought.evidence if brought else ())


def answers_to_test(workspace: Workspace, candidate: Candidate) -> tuple[ItemResult, ...]:
    """What the candidate's model said to each item of the frozen test split: now, or as it did."""
    prompt = candidate.prompt.definition
    scored = _score(workspace, candidate, candidate.base.digest, candidate.adapter.digest, prompt)
    return _items(workspace, scored)


def _champion(workspace: Workspace, candidate: Candidate) -> Measured | None:
    """The live release on today's test split, with its own base, adapter and prompt."""
    from infra.signing import verify_manifest
    from infra.signing.manifest import PROMPT

    champion = workspace.state().champion
    if champion is None:
        return None
    directory = workspace.releases / hex_of(champion)
    manifest = verify_manifest(directory, trusted_keys=[workspace.keys / "signing.pub"])
    prompt = json.loads((directory / PROMPT).read_bytes())
    scored = _score(workspace, candidate, manifest.base.digest, manifest.adapter, prompt)
    return Measured(manifest.unit, _items(workspace, scored), scored.items)


def _items(workspace: Workspace, scored: Scored) -> tuple[ItemResult, ...]:
    return load_items(workspace.store.get_bytes(scored.items))


def _score(
    workspace: Workspace, candidate: Candidate, base: str, adapter: str | None, prompt: dict[str, Any]
) -> Scored:
    """Item results for exactly this model and prompt on the candidate's test split: now, or as they were."""
    inputs = {
        "base": base,
        "adapter": adapter,
        "prompt": digest_json(prompt),
        "test": candidate.dataset.content["test"],
        "shard_items": workspace.project.scale.shard_items,
        "code": code_digest(*_CODE),
    }
    return workspace.steps.once(
        "score", inputs, Scored, lambda: _score_now(workspace, candidate, base, adapter, prompt)
    )


def _score_now(
    workspace: Workspace, candidate: Candidate, base: str, adapter: str | None, prompt: dict[str, Any]
) -> Scored:
    from infra.prompts import PromptTemplate
    from infra.scale.scoring import ShardedScorer, StoredModel

    started, project, dataset = time.monotonic(), workspace.project, candidate.dataset
    cells = read_split(workspace.store, dataset.splits["test"], dataset.content["test"])
    rows = [Row.model_validate(each) for each in cells]
    # Every look at the hold-out is counted before it is taken.
    workspace.ledger.append(
        Kind.NOTE,
        project=project.name,
        subject=candidate.unit,
        actor="validate",
        reason="look at the frozen test split",
        details={"test": dataset.content["test"], "model": adapter or base, "items": len(rows)},
    )
    template = PromptTemplate.from_definition(prompt)
    with mapper(project.scale) as map_items:
        scorer = ShardedScorer(
            StoredModel(project.store_uri, base, adapter),
            template.messages,
            template.labels,
            map_items,
            shard_items=project.scale.shard_items,
            threads=project.training.threads,
        )
        results = score_items(scorer, rows)
    return Scored(
        items=workspace.store.put_bytes(dump_items(results)), seconds=round(time.monotonic() - started, 3)
    )


@step
def judge_candidate(
    workspace: Workspace, run: "PhaseRun", candidate: Candidate, evidence: EvidenceSet
) -> Validated:
    """The gates' verdict over this evidence, computed now and logged; evidence is stored before."""
    project = workspace.project
    stored = workspace.store.put_bytes(canonical_json(evidence.model_dump(mode="json")))
    champion = next((e.inputs["champion"] for e in evidence.evidence if "champion" in e.inputs), None)
    report = judge(
        load_gates(project.path(project.gates)),
        evidence,
        requirements=candidate.requirements,
        has_champion=workspace.state().champion is not None,
        candidate=candidate.unit,
        champion=champion,
        settings={name: setting_digest(project, name) for name in candidate.requirements.settings},
        source=digest_file(project.path(project.requirements)),
        today=datetime.now(UTC).date(),
    )
    run.metrics({item.metric: item.value for item in evidence.evidence})
    run.params({"candidate": candidate.unit, "verdict": report.verdict.value, "evidence": stored})
    run.artifact("gate-report.json", report.model_dump(mode="json"))
    return Validated(candidate=candidate, evidence=stored, report=report, run_id=run.id)


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
