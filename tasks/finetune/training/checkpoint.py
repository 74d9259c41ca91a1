"""The last checkpoint of a training run: one file, whole or absent.

save(directory, Checkpoint(run="sha256:…", step=20, losses=(…), …))
load(directory, run="sha256:…")          # None when there is none for this very run
"""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra import atomic
from tasks.finetune.training.stopping import Evaluation

if TYPE_CHECKING:
    from torch import Tensor

FILE = "checkpoint.safetensors"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """State after `step` optimiser steps. The order of rows follows from seed and step: it has no state."""

    run: str
    """Digest of everything that decides the run's bits: settings, rows, base."""
    step: int
    losses: tuple[float, ...]
    """One per step so far."""
    evaluations: tuple[Evaluation, ...]
    """Of the validation rows so far; the best one's weights are among the tensors."""
    seconds: float
    """Wall time spent so far, over all attempts."""
    tensors: "dict[str, Tensor]"


def save(directory: Path, checkpoint: Checkpoint) -> None:
    """Replaces the last checkpoint. Raises Unavailable when the disk refuses; the last one then stays."""
    from safetensors.torch import save as to_bytes

    state = {
        "run": checkpoint.run,
        "step": checkpoint.step,
        "losses": checkpoint.losses,
        "evaluations": [asdict(evaluation) for evaluation in checkpoint.evaluations],
        "seconds": checkpoint.seconds,
    }
    atomic.write_bytes(directory / FILE, to_bytes(checkpoint.tensors, {"state": json.dumps(state)}))


def load(directory: Path, run: str) -> Checkpoint | None:
    """The last checkpoint of this run. Files half-written by a killed process are removed."""
    from safetensors import SafetensorError, safe_open

    for leftover in directory.glob(f".{FILE}.*.part"):
        leftover.unlink(missing_ok=True)
    path = directory / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as stream:
            state = json.loads(stream.metadata()["state"])
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118  # no mapping
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        log.warning("checkpoint %s is unreadable (%s): training starts again", path, error)
        return None
    if state["run"] != run:
        log.info("checkpoint %s belongs to another run: training starts again", path)
        return None
    evaluations = tuple(Evaluation(**values) for values in state["evaluations"])
    return Checkpoint(run, state["step"], tuple(state["losses"]), evaluations, state["seconds"], tensors)
