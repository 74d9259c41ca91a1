"""Which of many hashes are among those of the evaluation rows?

RunIndex(evaluation_runs).contains(training_runs)       # a flag for each
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.develop.quality.words import Hashes

_LEAST_SLOTS, _MOST_SLOTS = 1 << 16, 1 << 26
_HIGH = 38  # the upper 26 bits, apart from the lower ones that the first look uses


class RunIndex:
    """Is a hash among these? A table of flags, asked at two places, answers most; a sorted array the rest."""

    def __init__(self, runs: "Hashes") -> None:
        import numpy as np

        self.runs = np.sort(runs)
        wanted = 1 << (8 * len(self.runs)).bit_length()
        self._mask = np.uint64(min(max(wanted, _LEAST_SLOTS), _MOST_SLOTS) - 1)
        self._slots = np.zeros(int(self._mask) + 1, np.bool_)
        for place in (self.runs, self.runs >> _HIGH):
            self._slots[place & self._mask] = True

    def contains(self, runs: "Hashes") -> "NDArray[np.bool_]":
        """A flag for each hash."""
        import numpy as np

        found: NDArray[np.bool_] = self._slots[runs & self._mask]
        likely = np.flatnonzero(found)
        asked = runs[likely]
        # A quarter of the flags is set at most; a second look, by other bits, leaves one in sixteen.
        twice = self._slots[(asked >> _HIGH) & self._mask]
        found[likely[~twice]] = False
        likely, asked = likely[twice], asked[twice]
        if len(likely):
            places = np.minimum(np.searchsorted(self.runs, asked), len(self.runs) - 1)
            found[likely] = self.runs[places] == asked
        return found
