"""A whole candidate around a tiny random model: splits, adapter, prompt, documents and what was brought."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.digest import digest_bytes, digest_json, digest_table
from infra.workspace import Workspace, open_workspace
from tasks.develop.prompts import load_prompt
from tasks.develop.requirements import gate_metrics, load_requirements, requirements_document
from tasks.records import Candidate, DatasetVersion, Evidence, FineTuned, SplitName
from tests.integration.finetune.samples import LABELS
from tests.integration.finetune.tiny import write_base
from tests.unit.tasks.deploy.samples import make_candidate
from tests.unit.tasks.finetune.provenance.samples import (
    attested,
    developed_of,
    make_attestation,
    make_project,
)

_SUBJECTS = ("mail", "macro", "library", "account", "host", "printer", "router", "script", "tape", "disk")
_LICENCE = "MITRE ATT&CK Terms of Use"


@dataclass(frozen=True)
class TinyUnit:
    """What was made."""

    workspace: Workspace
    candidate: Candidate


def make_unit(root: Path, monkeypatch: pytest.MonkeyPatch) -> TinyUnit:
    """In an installation of its own below `root`; its base is the one that the settings pin."""
    monkeypatch.setenv("ASSAY_HOME", str(root / "home"))
    workspace = open_workspace("default", "embedded")
    base = workspace.store.put_tree(write_base(root / "base"))
    pin = {"name": "tiny-135m", "source": "path:base", "licence": "Apache-2.0", "digest": base}
    monkeypatch.setenv("ASSAY_BASE__CANDIDATES", json.dumps([pin]))
    workspace = open_workspace("default", "embedded")
    made = make_candidate(base, _adapter(workspace, root / "adapter"))
    project = workspace.project
    prompt = load_prompt(project.path(project.prompt, shipped=False), LABELS)
    workspace.store.put_bytes(requirements_document(project))
    adapter = made.adapter.model_copy(update={"prompt": prompt.digest})
    candidate = made.model_copy(
        update={
            "adapter": adapter,
            "prompt": prompt,
            "dataset": _dataset(workspace, made.dataset),
            "requirements": load_requirements(project, gate_metrics(project)),
            "guard": digest_bytes(project.path(project.guard).read_bytes()),
        }
    )
    candidate = candidate.model_copy(
        update={"adapter": adapter.model_copy(update={"dataset": candidate.dataset.digest})}
    )
    candidate = _proven(workspace, candidate)
    told = _contamination(candidate.dataset)
    assert candidate.provenance is not None
    tuned = FineTuned(adapter=candidate.adapter, provenance=candidate.provenance, evidence=(told,))
    workspace.handover.put("finetuned", tuned)
    return TinyUnit(workspace, candidate)


def _adapter(workspace: Workspace, directory: Path) -> str:
    """LoRA of one matrix."""
    import torch
    from safetensors.torch import save_file

    directory.mkdir()
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    torch.manual_seed(1)
    tensors = {name.format("A"): torch.randn(2, 32), name.format("B"): torch.randn(32, 2)}
    save_file(tensors, directory / "adapter_model.safetensors")
    (directory / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4}))
    return workspace.store.put_tree(directory)


def _dataset(workspace: Workspace, made: DatasetVersion) -> DatasetVersion:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    splits: dict[SplitName, str] = {}
    content: dict[SplitName, str] = {}
    rows: dict[SplitName, int] = {}
    names: tuple[SplitName, ...] = ("train", "validation", "test")
    for split in names:
        cells = [
            {
                "text": f"The {label} of a {subject} in {split} was seen.",
                "label": label,
                "group": f"{split} {subject}",
            }
            for label in LABELS
            for subject in _SUBJECTS
        ]
        table = pa.Table.from_pylist(cells)
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        splits[split] = workspace.store.put_bytes(buffer.getvalue())
        content[split], rows[split] = digest_table(table), len(cells)
    quality = made.quality.model_copy(update={"licences": {_LICENCE: sum(rows.values())}, "rows": rows})
    return made.model_copy(
        update={
            "digest": digest_json(content),
            "splits": splits,
            "content": content,
            "rows": rows,
            "labels": tuple(LABELS),
            "quality": quality,
        }
    )


def _contamination(dataset: DatasetVersion) -> Evidence:
    return Evidence(
        metric="contamination",
        value=0.0,
        lower=0.0,
        upper=0.05,
        n=dataset.rows["validation"] + dataset.rows["test"],
        method="Wilson",
        inputs={f"split.{name}": digest for name, digest in dataset.content.items()},
    )


def _proven(workspace: Workspace, candidate: Candidate) -> Candidate:
    from datetime import UTC, datetime

    from tasks.finetune.provenance import make_provenance

    store, now = workspace.store, datetime.now(UTC).isoformat(timespec="seconds")
    assert make_attestation(candidate.base.digest, time=now).time == now
    adapter = attested(store, candidate, time=now).model_copy(update={"seconds": 0.0})
    provenance = make_provenance(store, make_project(), developed_of(candidate), adapter)
    return candidate.model_copy(update={"adapter": adapter, "provenance": provenance})
