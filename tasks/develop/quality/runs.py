"""Which of many hashes are among those of the evaluation rows?

RunIndex(evaluation_runs).contains(training_runs)       # a flag for each
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.develop.quality.words import Hashes

_LEAST_SLOTS, _MOST_SLOTS = 1 << 16, 1 << 26


class RunIndex:
    """Is a hash among these? A table of flags answers most questions, a sorted array the rest."""

    def __init__(self, runs: "Hashes") -> None:
        import numpy as np

        self.runs = np.sort(runs)
        wanted = 1 << (8 * len(self.runs)).bit_length()
        self._mask = np.uint64(min(max(wanted, _LEAST_SLOTS), _MOST_SLOTS) - 1)
        self._slots = np.zeros(int(self._mask) + 1, np.bool_)
        self._slots[self.runs & self._mask] = True

    def contains(self, runs: "Hashes") -> "NDArray[np.bool_]":
        """A flag for each hash."""
        import numpy as np

        found: NDArray[np.bool_] = self._slots[runs & self._mask]
        likely = np.flatnonzero(found)
        if len(likely):
            asked = runs[likely]
            places = np.minimum(np.searchsorted(self.runs, asked), len(self.runs) - 1)
            found[likely] = self.runs[places] == asked
        return found
