"""Exact Jaccard similarity between many small sets, by prefix filtering.

sets = sets_of(hashes, counts)
left, right = similar_pairs(sets, 0.6)          # left < right
near = Index.of(evaluation, 0.6).near(training)  # a flag for each training set

Two sets with |A∩B| ≥ t·|A∪B| share a token among the |A| − ⌈t·|A|⌉ + 1 rarest of A, and so of B
(S. Chaudhuri, V. Ganti, R. Kaushik: A Primitive Operator for Similarity Joins in Data Cleaning, ICDE 2006).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.develop.datasets.lookup import Lookup
from tasks.develop.datasets.words import order_inside, within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.develop.datasets.words import Counts, Hashes

# Among sets that share a rare token each is compared with the nearest before it and with the first. In a
# flood of near copies all pairs would be too many, and one partner is enough; the many get fewer neighbours.
_NEIGHBOURS, _MOST_NEIGHBOURS, _ENOUGH = 24, 512, 1 << 24
_PAIRS = 1 << 14


@dataclass(frozen=True)
class Sets:
    """Sets of tokens, one behind the other; tokens are sorted and distinct inside each."""

    tokens: "Hashes"
    sizes: "Counts"

    def take(self, rows: "Counts") -> "Sets":
        """The sets with these numbers."""
        import numpy as np

        starts = np.cumsum(self.sizes) - self.sizes
        sizes = self.sizes[rows]
        return Sets(self.tokens[np.repeat(starts[rows], sizes) + within(sizes)], sizes)

    def owners(self) -> "Counts":
        """The number of the set that each token belongs to."""
        import numpy as np

        return np.repeat(np.arange(len(self.sizes)), self.sizes)


def sets_of(tokens: "Hashes", counts: "Counts") -> Sets:
    """The distinct tokens of consecutive blocks of `counts` tokens."""
    import numpy as np

    owners = np.repeat(np.arange(len(counts)), counts)
    tokens = tokens[order_inside(tokens, counts)]
    new = np.ones(len(tokens), dtype=bool)
    new[1:] = (tokens[1:] != tokens[:-1]) | (owners[1:] != owners[:-1])
    return Sets(tokens[new], np.bincount(owners[new], minlength=len(counts)))


def similar_pairs(sets: Sets, threshold: float) -> "tuple[Counts, Counts]":
    """Pairs of sets whose similarity is at least `threshold`: (smaller numbers, larger numbers).

    Of many sets that share all their rare tokens not every pair is given, but for each set one with an
    earlier set if there is such a pair in its neighbourhood.
    """
    import numpy as np

    index = Index.of(sets, threshold)
    row, place = index.rows, index.places
    found = [np.empty(0, dtype=np.int64)]
    for one, two in _shared(index.codes):
        left, right = row[one], row[two]
        fits = _reachable(sets.sizes[left], place[one], sets.sizes[right], place[two], threshold)
        left, right = left[fits], right[fits]
        fits = index.alike(sets.sizes[left], index.sketches[left], right)
        found.append(np.unique((left[fits] << 32) | right[fits]))
    pairs = np.unique(np.concatenate(found))
    left, right = pairs >> 32, pairs & 0xFFFFFFFF
    similar = index.similar(sets, left, right)
    return left[similar], right[similar]


def _shared(token: "Counts") -> "Iterator[tuple[Counts, Counts]]":
    """Pairs of entries with one token, the earlier set first; entries are sorted by token, then set."""
    import numpy as np

    given = 0
    for distance in range(1, _MOST_NEIGHBOURS + 1):
        same = np.flatnonzero(token[distance:] == token[:-distance])
        if not len(same):
            return
        if distance > _NEIGHBOURS and given > _ENOUGH:
            break
        given += len(same)
        yield same, same + distance
    starts = np.flatnonzero(np.r_[True, token[1:] != token[:-1]])
    first = np.repeat(starts, np.diff(np.r_[starts, len(token)]))
    later = np.flatnonzero(first != np.arange(len(token)))
    yield first[later], later


@dataclass(frozen=True)
class Index:
    """Sets that others are compared with."""

    threshold: float
    vocabulary: Lookup
    frequency: "Counts"
    sizes: "Counts"
    sketches: "Hashes"
    held: "Counts"
    """All tokens of the sets, as places in the vocabulary, sorted inside each set."""
    codes: "Counts"
    """Rare tokens of the sets, sorted, …"""
    rows: "Counts"
    """… the set of each, …"""
    places: "Counts"
    """… and how many rarer tokens that set has."""

    @staticmethod
    def of(sets: Sets, threshold: float) -> "Index":
        """An index of these sets for one threshold (0 to 1)."""
        import numpy as np

        vocabulary, codes, frequency = np.unique(sets.tokens, return_inverse=True, return_counts=True)
        owners = sets.owners()
        rare, places = _rare(sets.sizes, codes, frequency[codes], threshold)
        order = np.lexsort((owners[rare], codes[rare]))
        return Index(
            threshold,
            Lookup.of(vocabulary),
            frequency,
            sets.sizes,
            _sketches(sets),
            codes,
            codes[rare][order],
            owners[rare][order],
            places[order],
        )

    def near(self, others: Sets) -> "NDArray[np.bool_]":
        """For each of `others`, whether one of these sets is as similar as the threshold."""
        import numpy as np

        near = np.zeros(len(others.sizes), dtype=bool)
        if not len(self.sizes):
            return near
        for start in range(0, len(near), 4096):
            part = np.arange(start, min(start + 4096, len(near)))
            near[part] = self._near(others.take(part))
        return near

    def _near(self, others: Sets) -> "NDArray[np.bool_]":
        import numpy as np

        near = np.zeros(len(others.sizes), dtype=bool)
        owners = others.owners()
        codes, known = self.vocabulary.find(others.tokens)
        frequency = np.where(known, self.frequency[codes], 0)
        rare, places = _rare(others.sizes, codes, frequency, self.threshold)
        rare, places = rare[known[rare]], places[known[rare]]
        begin, end = (np.searchsorted(self.codes, codes[rare], side) for side in ("left", "right"))
        counts = end - begin
        entry = np.repeat(begin, counts) + within(counts)
        mine, other = self.rows[entry], np.repeat(owners[rare], counts)
        fits = _reachable(
            others.sizes[other],
            np.repeat(places, counts),
            self.sizes[mine],
            self.places[entry],
            self.threshold,
        )
        other, mine = other[fits], mine[fits]
        fits = self.alike(others.sizes[other], _sketches(others)[other], mine)
        pairs = np.unique((other[fits] << 32) | mine[fits])
        left, right = pairs >> 32, pairs & 0xFFFFFFFF
        near[left[self.similar(others, left, right)]] = True
        return near

    def alike(self, sizes: "Counts", sketches: "Hashes", mine: "Counts") -> "NDArray[np.bool_]":
        """Whether sets of these sizes and sketches can be as similar to sets `mine` as the threshold.

        Two sketches differ in no more bits than the sets in tokens, so no similar pair is lost
        (E. F. de O. Sandes, G. L. M. Teodoro, A. C. M. A. Melo: Bitmap Filter, Information Systems 88, 2020).
        """
        import numpy as np

        differ = np.bitwise_count(sketches ^ self.sketches[mine]).sum(axis=1, dtype=np.int64)
        most = (1 - self.threshold) / (1 + self.threshold) * (sizes + self.sizes[mine])
        found: NDArray[np.bool_] = differ <= most + 1e-9
        return found

    def similar(self, others: Sets, left: "Counts", right: "Counts") -> "NDArray[np.bool_]":
        """For each pair (one of `others`, one of these), whether it is as similar as the threshold."""
        import numpy as np

        found = np.zeros(len(left), dtype=bool)
        for start in range(0, len(left), _PAIRS):
            one, two = left[start : start + _PAIRS], right[start : start + _PAIRS]
            part = others.take(one)
            codes, known = self.vocabulary.find(part.tokens)
            held = known & self._holds(np.repeat(two, part.sizes), codes)
            shared = np.bincount(part.owners()[held], minlength=len(one))
            union = part.sizes + self.sizes[two] - shared
            found[start : start + _PAIRS] = shared >= self.threshold * union - 1e-9
        return found

    def _holds(self, sets: "Counts", codes: "Counts") -> "NDArray[np.bool_]":
        """For each set and token, whether the one holds the other: bisection inside the set."""
        import numpy as np

        low = (np.cumsum(self.sizes) - self.sizes)[sets]
        high = low + self.sizes[sets]
        end = high.copy()
        for _ in range(int(self.sizes.max(initial=0)).bit_length()):
            middle = (low + high) >> 1
            smaller = self.held[np.minimum(middle, len(self.held) - 1)] < codes
            low = np.where(smaller & (low < high), middle + 1, low)
            high = np.where(smaller, high, middle)
        found: NDArray[np.bool_] = (low < end) & (self.held[np.minimum(low, len(self.held) - 1)] == codes)
        return found


def _sketches(sets: Sets) -> "Hashes":
    """256 bits of each set (sets × 4 words): the parity of its tokens with each value of their last byte."""
    import numpy as np

    starts = np.cumsum(sets.sizes) - sets.sizes
    word = (sets.tokens >> np.uint64(6)) & np.uint64(3)
    bit = np.uint64(1) << (sets.tokens & np.uint64(63))
    if not len(starts):
        return np.empty((0, 4), dtype=np.uint64)
    words = [np.bitwise_xor.reduceat(np.where(word == number, bit, 0), starts) for number in range(4)]
    return np.stack(words, axis=1)


def _reachable(
    size: "Counts", place: "Counts", other_size: "Counts", other_place: "Counts", threshold: float
) -> "NDArray[np.bool_]":
    """Whether sets can be as similar as the threshold if their rarest common token has these places.

    Positional filtering: C. Xiao, W. Wang, X. Lin, J. X. Yu: Efficient Similarity Joins for Near Duplicate
    Detection, WWW 2008.
    """
    import numpy as np

    most = np.minimum(size - place, other_size - other_place)
    found: NDArray[np.bool_] = most >= threshold / (1 + threshold) * (size + other_size) - 1e-9
    return found


def _rare(sizes: "Counts", codes: "Counts", frequency: "Counts", threshold: float) -> "tuple[Counts, Counts]":
    """The rarest tokens of each set, by which a similar one must be found, and their places among these."""
    import numpy as np

    # Two numbers in one, so that equally frequent tokens have an order that all sets share.
    order = order_inside((frequency << 32) | codes, sizes)
    place = within(sizes)
    rare = place < np.repeat(sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1, sizes)
    return order[rare], place[rare]
