"""Looks at the hold-out: in the ledger before they are taken, also when what follows fails; never twice."""

import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.digest import digest_bytes, digest_table
from infra.errors import DataError, IntegrityError
from infra.handover import Shelf
from infra.ledger import Kind, Ledger
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.records import DatasetVersion, Row
from tasks.validate.benchmark import hold_out
from tasks.validate.benchmark.evaluate import count_looks
from tasks.validate.benchmark.hold_out import LOOK, guard_policy, read_results, score_model
from tasks.validate.items import ItemResult

UNIT, BASE, ADAPTER = (digest_bytes(name) for name in (b"u", b"b", b"a"))
ROWS = [{"text": f"text {at}", "label": "impact", "group": "g"} for at in range(3)]


class Scene:
    """A workspace with a stored test split, and a model that counts how often it is asked."""

    def __init__(self, home: Path) -> None:
        store, table = FileStore(home / "store"), pa.Table.from_pylist(ROWS)
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        split = store.put_bytes(buffer.getvalue())
        dataset = SimpleNamespace(splits={"test": split}, content={"test": digest_table(table)})
        self.dataset = cast(DatasetVersion, dataset)
        self.ledger = Ledger(f"sqlite:///{home / 'ledger.db'}")
        project = SimpleNamespace(
            name="triage",
            scale=SimpleNamespace(shard_items=8),
            guard=Path("guard.yaml"),
            path=lambda p: home / p,
        )
        self.workspace = cast(
            Workspace,
            SimpleNamespace(project=project, store=store, ledger=self.ledger, steps=Shelf(home / "steps")),
        )
        self.asked = 0
        self.error: Exception | None = None

    def answer(self, _workspace: Any, _base: str, _adapter: Any, _prompt: Any, rows: Sequence[Row]) -> Any:
        assert len(self.looks()) == self.asked + 1, "asked before the look was counted"
        self.asked += 1
        if self.error is not None:
            raise self.error
        return tuple(
            ItemResult(id=f"{at}", label=row.label, predicted="impact", correct=True)
            for at, row in enumerate(rows)
        )

    def looks(self) -> list[Any]:
        return [entry for entry in self.ledger.entries() if entry.reason == LOOK]

    def score(self, adapter: str | None = ADAPTER, prompt: str = "p") -> Any:
        return score_model(
            self.workspace,
            subject=UNIT,
            dataset=self.dataset,
            base=BASE,
            adapter=adapter,
            prompt={"name": prompt},
        )


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene(tmp_path)
    monkeypatch.setattr(hold_out, "_labelled", made.answer)
    return made


def test_a_look_is_counted_and_taken_once(scene: Scene) -> None:
    first, second = scene.score(), scene.score()
    assert first == second
    assert scene.asked == 1
    (look,) = scene.looks()
    assert (look.kind, look.subject, look.actor) == (Kind.NOTE, UNIT, "validate")
    assert look.details == {"test": scene.dataset.content["test"], "model": ADAPTER, "items": 3}
    assert [item.predicted for item in read_results(scene.workspace, first)] == ["impact"] * 3


def test_another_model_or_prompt_is_another_look(scene: Scene) -> None:
    scene.score()
    scene.score(adapter=None)
    scene.score(prompt="q")
    assert scene.asked == 3
    assert count_looks(scene.workspace, scene.dataset.content["test"]) == 3
    assert count_looks(scene.workspace, digest_bytes(b"other")) == 0


def test_a_look_that_fails_stays_counted_and_is_no_result(scene: Scene) -> None:
    scene.error = DataError("the model is damaged")
    with pytest.raises(DataError, match="damaged"):
        scene.score()
    assert len(scene.looks()) == 1
    scene.error = None
    scene.score()
    assert len(scene.looks()) == 2


def test_an_altered_split_is_refused_before_the_look(scene: Scene) -> None:
    scene.dataset.content["test"] = digest_bytes(b"other")
    with pytest.raises(IntegrityError, match="expected"):
        scene.score()
    assert (scene.asked, scene.looks()) == (0, [])


def test_another_guard_policy_than_the_candidate_s_is_refused(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "guard.yaml").write_bytes(b"version: 1")
    candidate = cast(Any, SimpleNamespace(guard=digest_bytes(b"version: 1")))
    assert guard_policy(scene.workspace, candidate) == b"version: 1"
    (tmp_path / "guard.yaml").write_bytes(b"version: 2")
    with pytest.raises(IntegrityError, match="expected the candidate's"):
        guard_policy(scene.workspace, candidate)
