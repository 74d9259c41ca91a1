"""One pass over all texts: how many words, which rows repeat, which evaluation rows training has seen.

scanned = scan_texts({"train": texts, "test": texts})
scanned.duplicate, scanned.leaked, scanned.contaminated        # a flag a row, split after split

Nothing of the preparation's own stages is used here: this is a second opinion on their result.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.develop.quality.runs import RunIndex
from tasks.develop.quality.words import word_blocks
from tasks.records import SplitName

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from tasks.develop.quality.words import Counts, Hashes

    Flags = NDArray[np.bool_]

RUN_WORDS = 8
"""Words of a run that may not be in training and evaluation both."""


@dataclass(frozen=True)
class Scanned:
    """Columns over the rows of all splits, one split after the other in the order given."""

    words: "Counts"
    duplicate: "Flags"
    """The same text (NFC, case and white space ignored) came before, in this split or an earlier one."""
    leaked: "Flags"
    """An evaluation row whose text is that of a training row."""
    same_words: "Flags"
    """The same words came before; punctuation may differ."""
    contaminated: "Flags"
    """An evaluation row with the words of a training row, or with a run of eight words from one."""


@dataclass(frozen=True)
class _Split:
    keys: "Hashes"
    counts: "Counts"
    runs: "Hashes"
    run_rows: "Counts"


def scan_texts(texts: Mapping[SplitName, "pa.ChunkedArray"]) -> Scanned:
    """The flags of every row; a row without words is never a duplicate."""
    import numpy as np

    parts: dict[SplitName, _Split] = {
        name: _read(column, None) for name, column in texts.items() if name != "train"
    }
    index = RunIndex(np.concatenate([np.empty(0, np.uint64), *(part.runs for part in parts.values())]))
    if "train" in texts:
        parts["train"] = _read(texts["train"], index.contains)
    ordered = {name: parts[name] for name in texts}
    keys = _join((part.keys for part in ordered.values()), np.uint64)
    training = _join((np.full(len(part.keys), name == "train") for name, part in ordered.items()), np.bool_)
    shared = _join((_sharing(name, part, parts.get("train")) for name, part in ordered.items()), np.bool_)
    same_words, candidates = _repeated(keys)
    exact = _identities(texts, candidates)
    duplicate, leaked, known = (np.zeros(len(keys), np.bool_) for _ in range(3))
    duplicate[candidates] = _repeated(exact)[0]
    leaked[candidates] = _met_in_training(exact, training[candidates])
    known[candidates] = _met_in_training(keys[candidates], training[candidates])
    return Scanned(
        words=_join((part.counts for part in ordered.values()), np.int64),
        duplicate=duplicate,
        leaked=leaked,
        same_words=same_words,
        contaminated=shared | known,
    )


def _read(texts: "pa.ChunkedArray", keep: "Callable[[Hashes], Flags] | None") -> _Split:
    import numpy as np

    keys, counts, runs, rows = [], [], [], []
    for block in word_blocks(texts, run=RUN_WORDS):
        kept = slice(None) if keep is None else keep(block.runs)
        runs.append(block.runs[kept])
        rows.append(block.run_rows[kept])
        keys.append(block.keys)
        counts.append(block.counts)
    return _Split(
        _join(keys, np.uint64),
        _join(counts, np.int64),
        _join(runs, np.uint64),
        _join(rows, np.int64),
    )


def _repeated(keys: "Hashes") -> tuple["Flags", "Counts"]:
    """Flags of keys that came before, and the places of all keys that occur twice; zero is no key."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    same = (ranked[1:] == ranked[:-1]) & (ranked[1:] != 0)
    later, either = np.zeros(len(keys), np.bool_), np.zeros(len(keys), np.bool_)
    later[order[1:]] = same
    either[order[1:]] = same
    either[order[:-1]] |= same
    return later, np.flatnonzero(either)


def _identities(texts: Mapping[SplitName, "pa.ChunkedArray"], rows: "Counts") -> "Hashes":
    """A number for each of these rows, equal for equal texts and never zero."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(rows):
        return np.zeros(0, np.uint64)
    column = pa.chunked_array([chunk for each in texts.values() for chunk in each.chunks])
    plain = pc.utf8_lower(pc.utf8_normalize(column.take(pa.array(rows)), form="NFC"))
    plain = pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"[\s\p{Z}]+", " "))
    codes = plain.dictionary_encode().unify_dictionaries()
    return _join((np.asarray(part.indices, np.uint64) + 1 for part in codes.chunks), np.uint64)


def _met_in_training(keys: "Hashes", training: "Flags") -> "Flags":
    """Evaluation rows whose key a training row has."""
    import numpy as np

    met: Flags = np.isin(keys, keys[training]) & ~training & (keys != 0)
    return met


def _sharing(name: SplitName, part: _Split, train: _Split | None) -> "Flags":
    """Evaluation rows with a run of words that training has."""
    import numpy as np

    shared = np.zeros(len(part.keys), np.bool_)
    if name != "train" and train is not None:
        shared[part.run_rows[RunIndex(train.runs).contains(part.runs)]] = True
    return shared


def _join(arrays: "Iterable[NDArray[Any]]", kind: type) -> "NDArray[Any]":
    import numpy as np

    return np.concatenate([np.empty(0, kind), *arrays])
