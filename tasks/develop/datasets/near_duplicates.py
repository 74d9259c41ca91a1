"""Stage "near-duplicates": of texts that say almost the same, the first stays.

stage = near_duplicates_stage(project.data)

Candidates come from MinHash (rensa, 128 permutations, banded), the verdict from the exact Jaccard similarity
of their sets of word 3-grams. Alone, the candidates would take one original in ten along.
"""

from functools import partial
from typing import TYPE_CHECKING

from infra.config.data import DataSettings
from tasks.develop.datasets.checks import published_split
from tasks.develop.datasets.jaccard import Sets, sets_of, similar_pairs
from tasks.develop.datasets.stages import Outcome, Stage
from tasks.develop.datasets.tables import ChunkMap, chunks
from tasks.develop.datasets.words import run_hashes, word_hashes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

PERMUTATIONS = 128
SHINGLE_WORDS = 3
_SEED = 1
_RECALL = 0.95
_PRECEDENCE = {"test": 0, "validation": 1, "train": 2}


def near_duplicates_stage(data: DataSettings) -> Stage | None:
    """Near duplicates at `data.near_duplicate_similarity`; None when that is off."""
    if data.near_duplicate_similarity is None:
        return None
    modules = tuple(
        f"tasks.develop.datasets.{name}" for name in ("near_duplicates", "jaccard", "lookup", "words")
    )
    settings = {
        "similarity": data.near_duplicate_similarity,
        "words": SHINGLE_WORDS,
        "permutations": PERMUTATIONS,
        "bands": bands(data.near_duplicate_similarity),
    }
    work = partial(remove_near_duplicates, threshold=data.near_duplicate_similarity)
    return Stage("near-duplicates", settings, modules, work)


def remove_near_duplicates(table: "pa.Table", map_chunks: ChunkMap, *, threshold: float) -> Outcome:
    """The rows without those that are as similar as `threshold` to an earlier row that stays."""
    import numpy as np
    import pyarrow as pa

    parts = list(map_chunks(shingles, chunks(table.select(["text"]))))
    sets = joined_sets(parts)
    maybe = np.flatnonzero(candidates(sets, threshold))
    if "split" in table.column_names:
        # A row of a published test split stays rather than its near copy in training.
        rank = [_PRECEDENCE[published_split(name)] for name in table.column("split").to_pylist()]
        maybe = maybe[np.argsort(np.array(rank)[maybe], kind="stable")]
    sets = sets.take(maybe)
    kept = np.ones(table.num_rows, dtype=bool)
    kept[maybe[_later_copies(sets, threshold)]] = False
    return Outcome(table.filter(pa.array(kept)), {"near duplicate": int((~kept).sum())})


def shingles(table: "pa.Table") -> Sets:
    """The set of word 3-grams of each text of a chunk; pure."""
    words, counts = word_hashes(table.column("text").combine_chunks())
    return sets_of(*run_hashes(words, counts, SHINGLE_WORDS))


def joined_sets(parts: list[Sets]) -> Sets:
    """All sets, one behind the other; `parts` is emptied, to have only one copy of them."""
    import numpy as np

    sizes = np.concatenate([part.sizes for part in parts])
    tokens = [part.tokens for part in parts]
    parts.clear()
    return Sets(np.concatenate(tokens), sizes)


def candidates(sets: Sets, threshold: float) -> "NDArray[np.bool_]":
    """For each set, whether its MinHash shares a band with another's."""
    import numpy as np
    from rensa import RMinHash, RMinHashLSH

    offsets = np.r_[0, np.cumsum(sets.sizes)].astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(sets.tokens, offsets, PERMUTATIONS, _SEED)
    index = RMinHashLSH(threshold, PERMUTATIONS, bands(threshold))
    return np.array(index.query_duplicate_flags_matrix_one_shot(matrix), dtype=bool)


def bands(threshold: float) -> int:
    """The fewest bands that find a pair at the threshold with a probability of 0.95.

    A pair of similarity s shares one of b bands of r values with probability 1 − (1 − sʳ)ᵇ
    (J. Leskovec, A. Rajaraman, J. Ullman: Mining of Massive Datasets, 3.4.2).
    """
    for rows in (16, 8, 4, 2):
        count = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** count >= _RECALL:
            return count
    return PERMUTATIONS


def _later_copies(sets: Sets, threshold: float) -> "NDArray[np.bool_]":
    import numpy as np

    gone = np.zeros(len(sets.sizes), dtype=bool)
    left, right = similar_pairs(sets, threshold)
    order = np.lexsort((left, right))
    for one, two in zip(left[order].tolist(), right[order].tolist(), strict=True):
        if not gone[one]:
            gone[two] = True
    return gone
