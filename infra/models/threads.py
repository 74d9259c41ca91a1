"""CPU threads of torch: how they wait, decided before torch is loaded."""

import os
import sys


def wait_passively() -> bool:
    """Makes OpenMP threads sleep while they wait. Call before the first `import torch`; False if too late.

    GNU OpenMP reads this once, when it is loaded. Spinning threads of two processes on two cores
    slow each other down: with other work on two cores, training went from 17 to 2 rows/s.
    """
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    return "torch" not in sys.modules
