"""CPU threads of torch: how many work, and how they wait (decided before torch is loaded)."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def wait_passively() -> bool:
    """Makes OpenMP threads sleep while they wait. Call before the first `import torch`; False if too late.

    GNU OpenMP reads this once, when it is loaded. Spinning threads of two processes on two cores
    slow each other down: with other work on two cores, training went from 17 to 2 rows/s.
    """
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    return "torch" not in sys.modules


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads inside of the block, and what it used before behind it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
