"""Looks at the frozen test split: each counted in the ledger before it is taken, each model scored once.

scored = score_model(workspace, subject=candidate.unit, dataset=dataset, base=…, adapter=…, prompt=…)
results = read_results(workspace, scored)
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.code import code_digest
from infra.digest import digest_bytes, digest_json, hex_of
from infra.errors import IntegrityError
from infra.ledger import Kind
from infra.scale import mapper
from infra.splits import read_split
from infra.workspace import Workspace
from tasks.records import Candidate, DatasetVersion, Row
from tasks.records.record import Digest, Record
from tasks.validate.benchmark.quality import Measured
from tasks.validate.benchmark.scoring import score_items
from tasks.validate.benchmark.served import served_items
from tasks.validate.items import ItemResult, dump_items, load_items

LOOK = "look at the frozen test split"
"""Reason of the ledger entries that count looks."""
CODE = (
    "tasks.validate.benchmark.scoring",
    "tasks.validate.benchmark.served",
    "tasks.validate.items",
    "tasks.validate.targets",
    "infra.guard",
    "infra.models",
    "infra.normalisation",
    "infra.prompts",
    "infra.scale.scoring",
    "infra.serving",
)


class Scored(Record):
    """Item results of one model on one split, in the store."""

    items: Digest
    seconds: float


def read_results(workspace: Workspace, scored: Scored) -> tuple[ItemResult, ...]:
    """The item results; raises IntegrityError, DataError when they cannot be read as they were stored."""
    return load_items(workspace.store.get_bytes(scored.items))


def frozen_rows(workspace: Workspace, dataset: DatasetVersion) -> list[Row]:
    """The frozen test split, verified; reading it is no look, asking a model about it is."""
    cells = read_split(workspace.store, dataset.splits["test"], dataset.content["test"])
    return [Row.model_validate(each) for each in cells]


def score_model(
    workspace: Workspace,
    *,
    subject: str,
    dataset: DatasetVersion,
    base: str,
    adapter: str | None,
    prompt: dict[str, Any],
    actor: str = "validate",
) -> Scored:
    """Labels of exactly this model and prompt on the test split: now, or as they were."""
    inputs = {
        "base": base,
        "adapter": adapter,
        "prompt": digest_json(prompt),
        "test": dataset.content["test"],
        "shard_items": workspace.project.scale.shard_items,
        "code": code_digest(*CODE),
    }

    def score(rows: Sequence[Row]) -> tuple[ItemResult, ...]:
        return _labelled(workspace, base, adapter, prompt, rows)

    return workspace.steps.once(
        "score", inputs, Scored, lambda: _look(workspace, subject, dataset, adapter or base, actor, score)
    )


def score_champion(workspace: Workspace, candidate: Candidate) -> Measured | None:
    """The live release on today's test split, with its own base, adapter and prompt; None without one.

    Also one that could not be loaded any more: whatever replaces it is compared with it. Raises
    IntegrityError.
    """
    from infra.signing import read_part, recorded_manifest
    from infra.signing.manifest import PROMPT

    champion = workspace.state().champion
    if champion is None:
        return None
    directory = workspace.releases / hex_of(champion)
    manifest = recorded_manifest(directory, champion)
    scored = score_model(
        workspace,
        subject=candidate.unit,
        dataset=candidate.dataset,
        base=manifest.base.digest,
        adapter=manifest.adapter,
        prompt=json.loads(read_part(directory, manifest, PROMPT)),
    )
    return Measured(manifest.unit, read_results(workspace, scored), scored.items)


def score_served(workspace: Workspace, candidate: Candidate, *, actor: str = "validate") -> Scored:
    """The test split through the candidate's served unit: now, or as it was."""
    inputs = {
        "unit": candidate.unit,
        "test": candidate.dataset.content["test"],
        "serving": digest_json(workspace.project.serving.model_dump(mode="json")),
        "gateway": digest_json(workspace.project.gateway.model_dump(mode="json")),
        "code": code_digest(*CODE),
    }
    return workspace.steps.once(
        "served",
        inputs,
        Scored,
        lambda: _look(
            workspace,
            candidate.unit,
            candidate.dataset,
            candidate.unit,
            actor,
            lambda rows: _through_unit(workspace, candidate, rows),
        ),
    )


def guard_policy(workspace: Workspace, candidate: Candidate) -> bytes:
    """The candidate's own guard policy; raises IntegrityError when the file is another one by now."""
    file: Path = workspace.project.path(workspace.project.guard)
    data = file.read_bytes()
    if (got := digest_bytes(data)) != candidate.guard:
        raise IntegrityError(
            f"{file} is {got}, expected the candidate's {candidate.guard}", hint="validate again"
        )
    return data


def _look(
    workspace: Workspace,
    subject: str,
    dataset: DatasetVersion,
    model: str,
    actor: str,
    score: Callable[[Sequence[Row]], tuple[ItemResult, ...]],
) -> Scored:
    started, rows = time.monotonic(), frozen_rows(workspace, dataset)
    # Every look at the hold-out is counted before it is taken.
    workspace.ledger.append(
        Kind.NOTE,
        project=workspace.project.name,
        subject=subject,
        actor=actor,
        reason=LOOK,
        details={"test": dataset.content["test"], "model": model, "items": len(rows)},
    )
    items = workspace.store.put_bytes(dump_items(score(rows)))
    return Scored(items=items, seconds=round(time.monotonic() - started, 3))


def _labelled(
    workspace: Workspace, base: str, adapter: str | None, prompt: dict[str, Any], rows: Sequence[Row]
) -> tuple[ItemResult, ...]:
    from infra.prompts import PromptTemplate
    from infra.scale.scoring import ShardedScorer, StoredModel

    project, template = workspace.project, PromptTemplate.from_definition(prompt)
    with mapper(project.scale) as map_items:
        scorer = ShardedScorer(
            StoredModel(project.store_place, base, adapter),
            template.messages,
            template.labels,
            map_items,
            shard_items=project.scale.shard_items,
            threads=project.training.threads,
        )
        return score_items(scorer, rows)


def _through_unit(workspace: Workspace, candidate: Candidate, rows: Sequence[Row]) -> tuple[ItemResult, ...]:
    from tasks.validate.targets.unit import ServedUnit

    project = workspace.project
    with ServedUnit.open(
        workspace.store,
        candidate,
        guard_policy(workspace, candidate),
        serving=project.serving,
        gateway=project.gateway,
    ) as unit:
        return served_items(unit, rows)
