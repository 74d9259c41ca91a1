"""The red team's check on a tiny tuned model in a real store: evidence, report, repeatability."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra.config.load import REPOSITORY
from infra.config.project import GatewaySettings, ServingSettings
from infra.config.redteam import RedTeamSettings
from infra.digest import digest_bytes, digest_json, digest_table
from infra.errors import IntegrityError
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.records import Candidate, Evidence
from tasks.records.redteam import RedTeamReport
from tasks.validate.redteam.check import CHECK
from tests.integration.finetune.samples import LABELS, TEXTS
from tests.integration.finetune.tiny import write_base

GUARD = REPOSITORY / "configs" / "guard.yaml"
PROMPT = {"name": "p", "system": "Answer with one of: {{labels}}.", "user": "{{text}}", "labels": LABELS}
SMALL = RedTeamSettings(
    corpora=REPOSITORY / "configs" / "redteam",
    injections=24,
    per_risk=3,
    templates=2,
    rows=5,
    benign=115,
    searches=6,
    rounds=2,
    max_new_tokens=8,
)


def _adapter(directory: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    directory.mkdir()
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    generator = torch.Generator().manual_seed(1)
    save_file(
        {
            f"{name}.lora_A.weight": torch.randn(2, 32, generator=generator),
            f"{name}.lora_B.weight": torch.randn(32, 2, generator=generator),
        },
        directory / "adapter_model.safetensors",
    )
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none", "target_modules": ["q_proj"]}
    (directory / "adapter_config.json").write_text(json.dumps(config))
    return directory


def _split(store: FileStore, count: int) -> tuple[str, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "text": f"{TEXTS[0]} Case {n}.",
            "label": LABELS[n % 4],
            "group": f"g{n}",
            "licence": "",
            "source": "",
        }
        for n in range(count)
    ]
    table = pa.Table.from_pylist(rows)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return store.put_bytes(buffer.getvalue()), digest_table(table)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Candidate]:
    root = tmp_path_factory.mktemp("world")
    store = FileStore(root / "store")
    splits = {name: _split(store, count) for name, count in (("train", 12), ("validation", 9))}
    project = SimpleNamespace(
        redteam=SMALL,
        guard=GUARD,
        path=lambda path: path,
        serving=ServingSettings(),
        gateway=GatewaySettings(),
    )
    candidate = SimpleNamespace(
        unit=digest_bytes(b"unit"),
        guard=digest_bytes(GUARD.read_bytes()),
        base=SimpleNamespace(digest=store.put_tree(write_base(root / "base"))),
        adapter=SimpleNamespace(digest=store.put_tree(_adapter(root / "adapter"))),
        prompt=SimpleNamespace(digest=digest_json(PROMPT), definition=PROMPT),
        dataset=SimpleNamespace(
            splits={name: stored for name, (stored, _) in splits.items()},
            content={name: content for name, (_, content) in splits.items()},
        ),
    )
    workspace: Any = SimpleNamespace(project=project, store=store)
    return cast(Workspace, workspace), cast(Candidate, candidate)


@pytest.fixture(scope="module")
def evidence(world: tuple[Workspace, Candidate]) -> tuple[Evidence, ...]:
    return tuple(CHECK.run(*world))


def test_every_promised_metric_comes_with_its_inputs(
    world: tuple[Workspace, Candidate], evidence: tuple[Evidence, ...]
) -> None:
    assert tuple(each.metric for each in evidence) == CHECK.metrics
    assert all(each.inputs["candidate"] == world[1].unit for each in evidence)
    assert {"prompt", "guard", "dataset", "corpora", "settings"} <= set(evidence[0].inputs)
    assert set(evidence[0].slices) == set(evidence[1].slices)
    assert evidence[3].n == SMALL.benign


def test_the_report_lies_in_the_store(
    world: tuple[Workspace, Candidate], evidence: tuple[Evidence, ...]
) -> None:
    details = evidence[0].details
    assert details is not None
    report = RedTeamReport.model_validate_json(world[0].store.get_bytes(details))
    native = [cell for cell in report.cells if cell.against == "unit" and cell.technique != "adaptive"]
    assert sum(cell.n for cell in native) == evidence[0].n
    assert report.benign == evidence[3].n
    assert "benign" in report.corpora


def test_twice_is_the_same(world: tuple[Workspace, Candidate], evidence: tuple[Evidence, ...]) -> None:
    again = [each.model_copy(update={"details": None}) for each in CHECK.run(*world)]
    assert again == [each.model_copy(update={"details": None}) for each in evidence]


def test_an_altered_split_is_refused(world: tuple[Workspace, Candidate]) -> None:
    workspace, candidate = world
    dataset = SimpleNamespace(
        splits=candidate.dataset.splits,
        content={**candidate.dataset.content, "validation": digest_bytes(b"x")},
    )
    changed = SimpleNamespace(**{**vars(candidate), "dataset": dataset})
    with pytest.raises(IntegrityError, match="content"):
        CHECK.run(workspace, cast(Candidate, changed))
