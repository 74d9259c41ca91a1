"""Words and runs of words as 64-bit hashes, for whole chunks at once: what texts share is counted on these.

hashes, counts = word_hashes(pa.array(["The cat sat.", "A dog"]))     # 5 hashes, counts [3, 2]
runs, counts = run_hashes(hashes, counts, 3)                          # runs of three words

A word is a run of letters, digits and marks, case ignored. Two different words (or runs) have one hash with
probability 2⁻⁶⁴; every count that rests on equality of hashes rests on that.
"""

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Counts = NDArray[np.int64]

_BETWEEN = r"[^\pL\pN\pM]+"


def word_hashes(texts: "pa.Array") -> "tuple[Hashes, Counts]":
    """The hash of every word in order, and the number of words of each text; a text without any has one."""
    import numpy as np
    import pyarrow.compute as pc

    plain = pc.utf8_trim(pc.replace_substring_regex(pc.utf8_lower(texts), _BETWEEN, " "), " ")
    words = pc.split_pattern(plain, " ")
    coded = words.flatten().dictionary_encode()
    hashes = np.frombuffer(
        b"".join(
            hashlib.blake2b(word.encode(), digest_size=8).digest() for word in coded.dictionary.to_pylist()
        ),
        dtype="<u8",
    )
    counts = pc.list_value_length(words).to_numpy(zero_copy_only=False).astype(np.int64)
    return hashes[coded.indices.to_numpy()], counts


def run_hashes(words: "Hashes", counts: "Counts", length: int) -> "tuple[Hashes, Counts]":
    """Hashes of all runs of `length` words inside each text; a shorter text is one run as a whole."""
    import numpy as np

    starts = np.cumsum(counts) - counts
    runs = np.maximum(counts - length + 1, 1)
    first = np.repeat(starts, runs) + within(runs)
    most = np.repeat(np.minimum(counts, length), runs)
    found = np.zeros(len(first), dtype=np.uint64)
    padded = np.r_[words, np.zeros(length, dtype=np.uint64)]
    for place in range(length):
        word = padded[first + place]
        word[place >= most] = 0
        found = _mixed(found + word + np.uint64(place + 1))
    return found, runs


def within(counts: "Counts") -> "Counts":
    """0, 1, … inside each of consecutive blocks of `counts` entries."""
    import numpy as np

    ends = np.cumsum(counts)
    found: Counts = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    return found


def order_inside(values: "NDArray[Any]", counts: "Counts") -> "Counts":
    """Places of all entries, sorted by value inside each of consecutive blocks of `counts` entries."""
    import numpy as np

    starts = np.cumsum(counts) - counts
    order = np.empty(len(values), dtype=np.int64)
    # Blocks of one length are rows of a matrix: much faster than sorting by block and value.
    for count in np.unique(counts):
        if count:
            places = starts[counts == count][:, None] + np.arange(count)
            order[places] = np.take_along_axis(places, np.argsort(values[places], axis=1, kind="stable"), 1)
    return order


def _mixed(values: "Hashes") -> "Hashes":
    """A bijection of 64 bits in which every bit of the input moves every bit: the finaliser of SplitMix64."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Hashes = values ^ (values >> np.uint64(31))
    return found
