"""Label scores of many texts in shards: the same numbers in this process and on a cluster.

model = StoredModel(project.store_place, base=base.digest, adapter=adapter.digest)
with mapper(project.scale) as map_items:
    scores = score_sharded(model, template.messages, labels, texts, map_items, shard_items=256, threads=1)

In bf16 a text's score depends on the texts that it is batched with. Shards are therefore cut by content
alone, by length and then by text: not by the number of workers, nor by the order of the texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from infra.config.store import StorePlace
from infra.errors import DataError
from infra.models.chat import Render
from infra.models.load import LoadedModel
from infra.models.scoring import LabelScore, LabelScorer
from infra.models.threads import use_threads
from infra.scale.mapping import Map


@dataclass(frozen=True)
class StoredModel:
    """A base, alone or with its adapter, by digest in a store that every worker reaches."""

    store: StorePlace
    base: str
    adapter: str | None = None
    dtype: str = "bfloat16"


@dataclass(frozen=True)
class _Work:
    """What is the same for all shards."""

    model: StoredModel
    render: Render
    labels: tuple[str, ...]
    threads: int


def score_sharded(
    model: StoredModel,
    render: Render,
    labels: Sequence[str],
    texts: Sequence[str],
    map_items: Map,
    *,
    shard_items: int,
    threads: int,
) -> list[LabelScore]:
    """One score a text, in order; each worker loads the model once, verified.

    `render` must be picklable (`PromptTemplate.messages` is). Raises IntegrityError when the store does not
    hold the model as its digests say, DataError as `LabelScorer` does.
    """
    work = _Work(model, render, tuple(labels), threads)
    parts = shards(texts, shard_items)
    try:
        found = map_items(partial(_score_shard, work), [[texts[at] for at in part] for part in parts])
    finally:
        _loaded.cache_clear()  # of this process: a worker's ends with its cluster
    scores: dict[int, LabelScore] = {}
    for part, answers in zip(parts, found, strict=True):
        scores.update(zip(part, answers, strict=True))
    return [scores[at] for at in range(len(texts))]


@dataclass(frozen=True)
class ShardedScorer:
    """A scorer as `LabelScorer` is one, wherever the work is done."""

    model: StoredModel
    render: Render
    labels: tuple[str, ...]
    map_items: Map
    shard_items: int
    threads: int

    def score(self, texts: Sequence[str]) -> list[LabelScore]:
        """One score a text, in order; raises as `score_sharded` does."""
        return score_sharded(
            self.model,
            self.render,
            self.labels,
            texts,
            self.map_items,
            shard_items=self.shard_items,
            threads=self.threads,
        )


def shards(texts: Sequence[str], items: int) -> list[list[int]]:
    """Positions of the texts, `items` to a shard, texts of like length together; raises DataError."""
    if items < 1:
        raise DataError(f"shard_items: got {items}, expected at least 1")
    order = sorted(range(len(texts)), key=lambda at: (-len(texts[at]), texts[at], at))
    return [order[start : start + items] for start in range(0, len(order), items)]


def _score_shard(work: _Work, texts: Sequence[str]) -> list[LabelScore]:
    with use_threads(work.threads):
        return LabelScorer(_loaded(work.model), work.render, work.labels).score(texts)


@lru_cache(maxsize=1)
def _loaded(model: StoredModel) -> LoadedModel:
    """The model, its files hashed again in this process before they are read."""
    from infra.models.load import load_base, load_tuned
    from infra.store import open_store

    store = open_store(model.store)
    base = store.open_tree(model.base)
    if model.adapter is None:
        return load_base(base, model.dtype)
    return load_tuned(base, store.open_tree(model.adapter), model.dtype)
