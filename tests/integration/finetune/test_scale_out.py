"""Work on two Dask workers, one of them killed in the middle: the same bytes as in this process."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from infra.config.scale import ScaleSettings
from infra.config.store import StorePlace
from infra.digest import digest_json, digest_table
from infra.errors import DataError, IntegrityError
from infra.scale import Map, mapper
from infra.scale.mapping import in_process
from infra.scale.scoring import StoredModel, score_sharded
from infra.store import FileStore
from tests.integration.finetune.samples import LABELS, TEXTS, render

CHUNKS = 12


@pytest.fixture(scope="module")
def on_dask() -> Iterator[Map]:
    with mapper(ScaleSettings(engine="dask", workers=2)) as map_items:
        yield map_items


def slow_digest(seen: Path) -> Callable[[tuple[int, pa.Table]], str]:
    """Work on one chunk that says, first of all, which process is at it."""

    def work(item: tuple[int, pa.Table]) -> str:
        import os
        import time

        from infra.digest import digest_table

        number, table = item
        (seen / f"{number}-{os.getpid()}").touch()
        time.sleep(0.3)
        return digest_table(table)

    return work


def kill_one(seen: Path, killed: list[int]) -> None:
    """SIGKILL to the process of the newest chunk, while others still wait."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        started = sorted(seen.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        if len(started) >= 3:
            victim = int(started[-1].name.split("-")[1])
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)
            return
        time.sleep(0.02)


def test_a_killed_worker_changes_nothing(on_dask: Map, tmp_path: Path) -> None:
    rows = pa.table({"text": [f"row {n} of many" for n in range(1200)]})
    items = [(n, rows.slice(n * 100, 100)) for n in range(CHUNKS)]
    expected = [digest_table(table) for _, table in items]
    killed: list[int] = []
    killer = threading.Thread(target=kill_one, args=(tmp_path, killed))
    killer.start()
    found = on_dask(slow_digest(tmp_path), items)
    killer.join()
    assert digest_json(found) == digest_json(expected)
    assert killed, "a worker was killed while chunks were waiting"
    runs = [file.name.split("-")[0] for file in tmp_path.iterdir()]
    assert len(set(runs)) == CHUNKS
    assert len(runs) > CHUNKS, "what the dead worker was at ran again elsewhere"


def test_an_error_is_the_same_error_and_is_not_tried_again(on_dask: Map, tmp_path: Path) -> None:
    def refuse(name: str) -> None:
        from pathlib import Path

        from infra.errors import DataError

        with (Path(name) / "calls").open("a") as calls:
            calls.write("x")
        raise DataError("row 7 is bad", hint="look at it")

    with pytest.raises(DataError, match="row 7 is bad") as caught:
        on_dask(refuse, [str(tmp_path)])
    assert caught.value.hint == "look at it"
    assert (tmp_path / "calls").read_text() == "x"


def test_what_may_heal_is_tried_again_in_the_worker(on_dask: Map, tmp_path: Path) -> None:
    def heals(name: str) -> str:
        from pathlib import Path

        from infra.errors import Unavailable

        file = Path(name) / "once"
        if not file.exists():
            file.touch()
            raise Unavailable("not yet")
        return "healed"

    assert on_dask(heals, [str(tmp_path)]) == ["healed"]


def test_scores_are_the_same_on_both_engines(on_dask: Map, base: Path, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    model = StoredModel(StorePlace((tmp_path / "store").as_uri()), base=store.put_tree(base))
    here, there = (
        # One shard: only one worker has to import torch.
        score_sharded(model, render, LABELS, TEXTS, each, shard_items=len(TEXTS), threads=1)
        for each in (in_process(), on_dask)
    )
    assert here == there


def test_scores_follow_the_texts_not_their_order(base: Path, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    model = StoredModel(StorePlace((tmp_path / "store").as_uri()), base=store.put_tree(base))
    texts = [*TEXTS, *TEXTS[:3]]
    forwards, backwards = (
        score_sharded(model, render, LABELS, order, in_process(), shard_items=4, threads=1)
        for order in (texts, texts[::-1])
    )
    assert backwards == forwards[::-1]


def test_a_model_that_was_altered_in_the_store_is_refused(base: Path, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    digest = store.put_tree(base)
    file = store.tree_path(digest) / "config.json"
    file.chmod(0o600)
    file.write_text(file.read_text() + " ")
    model = StoredModel(StorePlace((tmp_path / "store").as_uri()), base=digest)
    with pytest.raises(IntegrityError, match="altered"):
        score_sharded(model, render, LABELS, TEXTS, in_process(), shard_items=5, threads=1)
