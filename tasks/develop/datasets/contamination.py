"""Stage "contamination": no training row may give away an evaluation row, and no validation row a test row.

stage = contamination_stage(project.data)

A row goes when it shares a run of n words with an evaluation row (n = 8: of short rows most have fewer than
the customary 13), has all its words, or is as similar to it as the limit (Jaccard of word 3-grams, exact).
It stands behind the split because only then it is known which rows evaluate, and before balancing so that
another row of the label takes the place.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from infra.config.data import DataSettings
from tasks.develop.datasets.jaccard import Index, sets_of
from tasks.develop.datasets.lookup import Lookup
from tasks.develop.datasets.near_duplicates import SHINGLE_WORDS
from tasks.develop.datasets.stages import Outcome, Stage
from tasks.develop.datasets.tables import ChunkMap, chunks
from tasks.develop.datasets.words import run_hashes, word_hashes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def contamination_stage(data: DataSettings) -> Stage:
    """Training against validation and test, validation against test."""
    settings = {"words": data.contamination_words, "similarity": data.contamination_similarity}
    modules = tuple(
        f"tasks.develop.datasets.{name}"
        for name in ("contamination", "near_duplicates", "jaccard", "lookup", "words")
    )
    work = partial(
        remove_contaminated, length=data.contamination_words, similarity=data.contamination_similarity
    )
    return Stage("contamination", settings, modules, work)


def remove_contaminated(
    table: "pa.Table", map_chunks: ChunkMap, *, length: int, similarity: float
) -> Outcome:
    """The rows without training and validation rows that give an evaluation row away."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    evaluations = tuple(
        Evaluation.of(name, table.filter(pc.equal(table.column("split"), name)), length, similarity)
        for name in ("test", "validation")
    )
    work = partial(contaminated_chunk, evaluations=evaluations)
    found = np.concatenate(list(map_chunks(work, chunks(table.select(["text", "split"])))))
    reasons = [
        f"{what} a {one.split} row"
        for one in evaluations
        for what in (f"shares {length} words with", "near copy of")
    ]
    counts = np.bincount(found, minlength=len(reasons) + 1)[1:].tolist()
    return Outcome(table.filter(pa.array(found == 0)), dict(zip(reasons, counts, strict=True)))


@dataclass(frozen=True)
class Evaluation:
    """What must not be in other rows: runs of words of one split's rows, and their sets of 3-grams."""

    split: str
    length: int
    runs: Lookup
    index: Index

    @staticmethod
    def of(split: str, table: "pa.Table", length: int, similarity: float) -> "Evaluation":
        """The runs and sets of these rows."""
        import numpy as np

        words, counts = word_hashes(table.column("text").combine_chunks())
        runs, _ = run_hashes(words, counts, length)
        grams = sets_of(*run_hashes(words, counts, SHINGLE_WORDS))
        return Evaluation(split, length, Lookup.of(np.unique(runs)), Index.of(grams, similarity))


def contaminated_chunk(table: "pa.Table", *, evaluations: tuple[Evaluation, ...]) -> "NDArray[np.int64]":
    """For each row 0, or the number of its reason as `remove_contaminated` counts them; pure."""
    import numpy as np
    import pyarrow.compute as pc

    found = np.zeros(table.num_rows, dtype=np.int64)
    words, counts = word_hashes(table.column("text").combine_chunks())
    runs, per_row = run_hashes(words, counts, evaluations[0].length)
    sets = sets_of(*run_hashes(words, counts, SHINGLE_WORDS))
    asked = np.ones(table.num_rows, dtype=bool)
    for number, one in enumerate(evaluations):
        # Validation is compared with test and not with itself; test with nothing.
        asked &= np.asarray(pc.not_equal(table.column("split"), one.split))
        held = np.logical_or.reduceat(one.runs.find(runs)[1], np.cumsum(per_row) - per_row)
        found[asked & held & (found == 0)] = 2 * number + 1
        rest = np.flatnonzero(asked & (found == 0))
        found[rest[one.index.near(sets.take(rest))]] = 2 * number + 2
    return found
