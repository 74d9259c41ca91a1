"""What the starting process tells the training processes, and what they tell it: files and lines of JSON."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra import atomic
from infra.errors import DataError
from tasks.finetune.training.rows import EncodedRow, EncodedRows
from tasks.finetune.training.settings import TrainingSettings

FILE, RESULT, ERROR, TENSORS = "job.json", "result.json", "error.json", "adapter.safetensors"
CHECKPOINTS = "checkpoints"
# Starts every line of standard output that is meant for the starting process.
EVENT = "@event "


@dataclass(frozen=True)
class Job:
    """One run of the backend `hf`; its directory also takes checkpoints, result and error."""

    directory: Path
    base: Path
    dtype: str
    settings: TrainingSettings
    rows: EncodedRows
    validation: EncodedRows | None
    starter: int
    """Process id of the process that waits for the result: without it training stops."""
    resume: Path | None = None
    """The checkpoint to go on from."""

    def save(self) -> Path:
        """Writes the job's file and returns it."""
        content = {
            "base": str(self.base),
            "dtype": self.dtype,
            "settings": asdict(self.settings),
            "rows": asdict(self.rows),
            "validation": asdict(self.validation) if self.validation else None,
            "starter": self.starter,
            "resume": str(self.resume) if self.resume else None,
        }
        atomic.write_text(self.directory / FILE, json.dumps(content))
        return self.directory / FILE


def load_job(path: Path) -> Job:
    """Reads a job's file. Raises DataError when it is none."""
    try:
        content = json.loads(path.read_text("utf-8"))
        settings = content["settings"]
        settings["target_modules"] = tuple(settings["target_modules"])
        return Job(
            path.parent,
            Path(content["base"]),
            content["dtype"],
            TrainingSettings(**settings),
            _rows(content["rows"]),
            _rows(content["validation"]) if content["validation"] else None,
            content["starter"],
            Path(content["resume"]) if content["resume"] else None,
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no training job: {error}", "it is written by the backend hf") from error


def _rows(content: Mapping[str, Any]) -> EncodedRows:
    rows = [EncodedRow(tuple(row["inputs"]), tuple(row["targets"])) for row in content["rows"]]
    return EncodedRows(
        tuple(content["prefix"]), tuple(rows), tuple(tuple(epoch) for epoch in content["epochs"])
    )


def last_checkpoint(directory: Path, processes: int) -> Path | None:
    """The newest checkpoint of transformers that is whole; those that a killed process left are removed."""
    found = sorted(directory.glob("checkpoint-*"), key=checkpoint_step)
    for path in reversed(found):
        if _is_whole(path, processes):
            return path
        shutil.rmtree(path)
    return None


def checkpoint_step(path: Path) -> int:
    """The optimiser step after which a checkpoint was written."""
    return int(path.name.rpartition("-")[2])


def _is_whole(checkpoint: Path, processes: int) -> bool:
    # The trainer's state is written last, but each process writes its own random state.
    random = ["rng_state.pth"] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]
    try:
        json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return all((checkpoint / name).exists() for name in ("optimizer.pt", "scheduler.pt", *random))
