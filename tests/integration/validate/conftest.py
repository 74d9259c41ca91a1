"""A tiny model with an adapter, and an installation around it."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_bytes, digest_table
from infra.workspace import Workspace, open_workspace
from tasks.records import Candidate
from tests.conftest import Configure
from tests.integration.finetune.tiny import write_base
from tests.unit.tasks.deploy.samples import make_candidate


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama."""
    return write_base(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain LoRA of one layer that changes what the tiny Llama answers."""
    import torch
    from safetensors.torch import save_file

    directory = tmp_path_factory.mktemp("adapter")
    (directory / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none"})
    )
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    torch.manual_seed(1)
    save_file(
        {f"{name}.lora_A.weight": torch.randn(2, 32), f"{name}.lora_B.weight": torch.randn(32, 2)},
        directory / "adapter_model.safetensors",
    )
    return directory


@dataclass(frozen=True)
class Installation:
    """A workspace with one candidate in its store."""

    workspace: Workspace
    candidate: Candidate


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path, adapter: Path, configure: Configure
) -> Callable[..., Installation]:
    """Opens the default project around the tiny model, with `texts` as validation rows."""

    def make(texts: list[str], **settings: Any) -> Installation:
        monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
        configure(**settings)
        workspace = open_workspace("default", "embedded")
        stored, content = _split(workspace, texts)
        made = make_candidate(workspace.store.put_tree(base), workspace.store.put_tree(adapter))
        dataset = made.dataset.model_copy(
            update={
                "splits": {**made.dataset.splits, "validation": stored},
                "content": {**made.dataset.content, "validation": content},
            }
        )
        guard = digest_bytes(workspace.project.path(workspace.project.guard).read_bytes())
        candidate = made.model_copy(update={"dataset": dataset, "guard": guard})
        return Installation(workspace, candidate)

    return make


def _split(workspace: Workspace, texts: list[str]) -> tuple[str, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = ("impact", "discovery", "exfiltration")
    table = pa.table(
        {
            "text": texts,
            "label": [labels[at % 3] for at in range(len(texts))],
            "group": [f"g{at}" for at in range(len(texts))],
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return workspace.store.put_bytes(buffer.getvalue()), digest_table(table)
