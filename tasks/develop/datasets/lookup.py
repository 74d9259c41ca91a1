"""A sorted table of 64-bit hashes, looked up by their first bits: some ten times faster than bisection.

places, known = Lookup.of(hashes).find(others)     # places are meant only where `known`
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.develop.datasets.words import Counts, Hashes


@dataclass(frozen=True)
class Lookup:
    """Distinct hashes in order, and where those with the same first bits begin."""

    values: "Hashes"
    shift: int
    begins: "Counts"

    @staticmethod
    def of(values: "Hashes") -> "Lookup":
        """A table of `values`, which are sorted and distinct."""
        import numpy as np

        bits = max(len(values), 2).bit_length()
        begins = np.searchsorted(values, np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits))
        return Lookup(values, 64 - bits, np.r_[begins, len(values)])

    def find(self, hashes: "Hashes") -> "tuple[Counts, NDArray[np.bool_]]":
        """The place of each hash in the table, and whether it is there."""
        import numpy as np

        if not len(self.values):
            return np.zeros(len(hashes), dtype=np.int64), np.zeros(len(hashes), dtype=bool)
        first = (hashes >> np.uint64(self.shift)).astype(np.int64)
        place, end = self.begins[first], self.begins[first + 1]
        last = len(self.values) - 1
        # Hashes are spread evenly: a handful share their first bits.
        while True:
            smaller = (place < end) & (self.values[np.minimum(place, last)] < hashes)
            if not smaller.any():
                break
            place = place + smaller
        place = np.minimum(place, last)
        return place, self.values[place] == hashes
