"""Texts as words that compare equal when they say the same: hashes of whole rows and of runs of words.

for block in word_blocks(texts, run=8):      # pa.ChunkedArray of strings, nulls count as empty
    block.keys, block.counts, block.runs     # uint64 a row, words a row, uint64 a run of eight words

A word is a run of letters and digits in lower case (Unicode NFKC, format characters dropped), so case,
spacing and punctuation make no difference. Equal words always hash equal: a collision can only report an
overlap too many, never hide one. All words of a block are hashed at once, eight bytes at a time; rows and
runs are polynomials of their words' hashes modulo 2^64.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Counts = NDArray[np.int64]

_PIECE_BYTES = 1 << 24  # compiling a pattern costs milliseconds
_BLOCK_BYTES = 1 << 18  # what is computed from it stays in the processor's cache
_BASE = 0xD1342543DE82EF95  # odd, so it has an inverse modulo 2^64
_LONG_WORD = 64
_NOT_WORD = r"[^\p{L}\p{M}\p{N}]+"
_FORMAT = r"\p{Cf}"
_FOLD = bytes(
    code + 32 if 65 <= code <= 90 else code if code >= 128 or chr(code).isalnum() else 32
    for code in range(256)
)


@dataclass(frozen=True)
class WordBlock:
    """Some consecutive rows."""

    start: int
    """Number of the first row."""
    keys: "Hashes"
    """One a row: equal for rows of the same words. Zero for a row without words."""
    counts: "Counts"
    """Words a row."""
    runs: "Hashes"
    """One for every run of words, row after row; rows with fewer words have none."""
    run_rows: "Counts"
    """Row number of every run."""


def word_blocks(texts: "pa.ChunkedArray", *, run: int) -> Iterator[WordBlock]:
    """Blocks of consecutive rows, in order; working memory does not grow with the number of rows."""
    start = 0
    for chunk in texts.chunks:
        for piece in _parts(chunk, _PIECE_BYTES):
            for part in _parts(_folded(piece), _BLOCK_BYTES):
                yield _block(part, start, run)
                start += len(part)


def _parts(chunk: "pa.Array", size: int) -> Iterator["pa.Array"]:
    """Slices of about `size` bytes of text; a longer row is a slice of its own."""
    import numpy as np
    import pyarrow.compute as pc

    if len(chunk) == 0:
        return
    sizes = pc.fill_null(pc.binary_length(chunk), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(sizes, dtype=np.int64)
    first = 0
    while first < len(chunk):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + size, "right")), first + 1)
        yield chunk.slice(first, last - first)
        first = last


def _folded(texts: "pa.Array") -> "pa.Array":
    """Rows with other than ASCII characters in their comparable form; ASCII is folded byte by byte later."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.fill_null(texts.cast(pa.large_string()), "")
    other = pc.invert(pc.string_is_ascii(texts))
    if not pc.any(other).as_py():
        return texts
    folded = pc.utf8_lower(pc.utf8_normalize(texts.filter(other), form="NFKC"))
    folded = pc.replace_substring_regex(folded, _FORMAT, "")
    return pc.replace_with_mask(texts, other, pc.replace_substring_regex(folded, _NOT_WORD, " "))


def _block(texts: "pa.Array", start: int, run: int) -> WordBlock:
    import numpy as np

    data, bounds = _bytes_of(texts)
    begins, ends = _word_bounds(data, bounds)
    words = _hashes(data, begins, ends)
    first = np.searchsorted(begins, bounds)  # of every row, and the end
    counts = np.diff(first)
    keys = _keys(words, first, counts)
    runs, rows = _runs(words, first, counts, run)
    return WordBlock(start, keys, counts, runs, rows + start)


def _bytes_of(texts: "pa.Array") -> tuple["NDArray[np.uint8]", "Counts"]:
    """Folded UTF-8 bytes of all rows and the bounds of each: rows + 1 offsets."""
    import numpy as np

    _, offsets, values = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(texts) + 1, texts.offset * 8)
    low, high = int(bounds[0]), int(bounds[-1])
    raw = bytes(memoryview(values)[low:high]) if high > low else b""
    return np.frombuffer(raw.translate(_FOLD), np.uint8), bounds - low


def _word_bounds(data: "NDArray[np.uint8]", bounds: "Counts") -> tuple["Counts", "Counts"]:
    import numpy as np

    inside = np.zeros(len(data) + 2, np.bool_)  # one blank before and one behind
    inside[1:-1] = data != 32
    new_row = np.zeros(len(data) + 1, np.bool_)
    new_row[bounds] = True
    begins = np.flatnonzero(inside[1:-1] & (new_row[:-1] | ~inside[:-2]))
    ends = np.flatnonzero(inside[1:-1] & (new_row[1:] | ~inside[2:])) + 1
    return begins, ends


def _hashes(data: "NDArray[np.uint8]", begins: "Counts", ends: "Counts") -> "Hashes":
    """One hash a word. No byte of a word is zero, so what pads its last eight bytes is no part of it."""
    import numpy as np

    padded = np.concatenate([data, np.zeros(8, np.uint8)])
    eights = np.ndarray((len(data) + 1,), "<u8", padded, strides=(1,))  # the eight bytes from each place on
    sizes = ends - begins
    masks = _masks()
    hashes = _mixed(eights[begins] & masks[np.minimum(sizes, 8)])
    for done in range(8, _LONG_WORD, 8):
        rest = np.flatnonzero(sizes > done)
        if not len(rest):
            break
        more = eights[begins[rest] + done] & masks[np.minimum(sizes[rest] - done, 8)]
        hashes[rest] = _mixed(hashes[rest] * np.uint64(_BASE) + more)
    for number in np.flatnonzero(sizes > _LONG_WORD):
        word = data[begins[number] : ends[number]].tobytes()
        hashes[number] = int.from_bytes(blake2b(word, digest_size=8).digest(), "little")
    return hashes


@lru_cache(maxsize=1)
def _masks() -> "Hashes":
    """What keeps the first 0 to 8 of eight bytes."""
    import numpy as np

    return np.array([(1 << 8 * kept) - 1 for kept in range(9)], np.uint64)


def _keys(words: "Hashes", first: "Counts", counts: "Counts") -> "Hashes":
    import numpy as np

    powers, inverses = _powers(len(words) + 1)
    total = np.zeros(len(words) + 1, np.uint64)
    np.cumsum(words * powers[: len(words)], out=total[1:])
    keys = _mixed((total[first[1:]] - total[first[:-1]]) * inverses[first[:-1]])
    return np.where(counts > 0, np.maximum(keys, np.uint64(1)), np.uint64(0))


def _runs(words: "Hashes", first: "Counts", counts: "Counts", run: int) -> tuple["Hashes", "Counts"]:
    """Hashes of all runs that lie within one row, and their rows."""
    import numpy as np

    rows = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(words)) - first[:-1][rows]
    within = np.flatnonzero(number + run <= counts[rows])
    powers, _ = _powers(run)
    hashes = np.zeros(max(len(words) - run + 1, 0), np.uint64)
    for place in range(run):
        hashes += words[place : place + len(hashes)] * powers[place]
    return _mixed(hashes[within]), rows[within]


def _mixed(hashes: "Hashes") -> "Hashes":
    """Every bit depends on all bits (finaliser of splitmix64; Steele, Lea, Flood, OOPSLA 2014)."""
    import numpy as np

    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _powers(count: int) -> tuple["Hashes", "Hashes"]:
    """`base^i` and its inverse modulo 2^64, for i below `count` and often more."""
    return _power_tables(max(1 << count.bit_length(), _BLOCK_BYTES // 2))


@lru_cache(maxsize=4)
def _power_tables(count: int) -> tuple["Hashes", "Hashes"]:
    import numpy as np

    def table(factor: int) -> "Hashes":
        factors = np.full(count, factor, np.uint64)
        factors[0] = 1
        powers: Hashes = np.multiply.accumulate(factors)
        return powers

    return table(_BASE), table(pow(_BASE, -1, 1 << 64))
