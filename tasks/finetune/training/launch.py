"""Backend `hf`: starts transformers' Trainer in processes of its own and brings its adapter home.

Runs `python -m torch.distributed.run --nproc_per_node N --master_addr 127.0.0.1` with the module `hf`;
`accelerate launch` does not set up the process group for CPU processes.
"""

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import infra.errors
from infra.digest import hex_of
from infra.errors import ConfigError, TrainingError
from infra.models.load import LoadedModel, merge_adapter
from tasks.finetune.training import job as jobs
from tasks.finetune.training import memory
from tasks.finetune.training.engine import first_trained
from tasks.finetune.training.export import export_adapter
from tasks.finetune.training.result import StepMetrics, TrainingResult
from tasks.finetune.training.rows import EncodedRows
from tasks.finetune.training.settings import TrainingSettings
from tasks.finetune.training.stopping import Evaluation

log = logging.getLogger(__name__)
# Lines of the processes' output that an error repeats.
LAST_LINES = 15


def train_in_processes(
    loaded: LoadedModel,
    rows: EncodedRows,
    validation: EncodedRows | None,
    settings: TrainingSettings,
    run: str,
    checkpoint_dir: Path,
    output_dir: Path,
    on_step: Callable[[StepMetrics], None],
    on_validation: Callable[[Evaluation], None],
) -> TrainingResult:
    """As `train`, from encoded rows. A run of the same digest goes on from its last checkpoint.

    Raises ConfigError for a combination that this machine cannot run, TrainingError when a process fails.
    """
    refuse_without_gpu(settings)
    from safetensors.torch import load_file

    directory = checkpoint_dir / f"hf-{hex_of(run)[:16]}"
    directory.mkdir(parents=True, exist_ok=True)
    for old in (jobs.ERROR, jobs.RESULT):
        (directory / old).unlink(missing_ok=True)
    dtype = str(loaded.model.dtype).removeprefix("torch.")
    resume = jobs.last_checkpoint(directory / jobs.CHECKPOINTS, settings.processes)
    job = jobs.Job(directory, loaded.base_path, dtype, settings, rows, validation, os.getpid(), resume)
    started = time.perf_counter()
    with _started(job.save(), settings) as (process, output):
        for kind, values in _events(process):
            if kind == "step":
                on_step(StepMetrics(**values))
            elif kind == "evaluation":
                on_validation(Evaluation(**values))
    if process.returncode != 0:
        raise failure(directory, output, process.returncode, settings)
    result: dict[str, Any] = json.loads((directory / jobs.RESULT).read_text("utf-8"))
    tensors = load_file(directory / jobs.TENSORS)
    depth = int(loaded.model.config.num_hidden_layers)
    seconds = time.perf_counter() - started
    digest = export_adapter(tensors, first_trained(depth, settings), settings, output_dir)
    merge_adapter(loaded, output_dir)
    shutil.rmtree(directory, ignore_errors=True)
    return TrainingResult(
        adapter_dir=output_dir,
        adapter_digest=digest,
        steps=result["steps"],
        losses=tuple(result["losses"]),
        rows_seen=result["rows_seen"],
        seconds=seconds,
        rows_per_s=result["rows_seen"] / seconds,
        resumed_from_step=jobs.checkpoint_step(resume) if resume else 0,
        engine="hf",
        validations=tuple(Evaluation(**values) for values in result["validations"]),
        best_step=result["best_step"],
        stopped_early=result["stopped_early"],
    )


def refuse_without_gpu(settings: TrainingSettings) -> None:
    """Raises ConfigError, before anything starts, for settings that need an absent GPU or package."""
    import importlib.util

    import torch

    needs_gpu = settings.sharding != "none" or settings.quantisation != "none"
    if needs_gpu and not torch.cuda.is_available():
        raise ConfigError(
            f"training: sharding = {settings.sharding} and quantisation = {settings.quantisation} need a GPU",
            "set both to none on this machine",
        )
    if torch.cuda.is_available() and settings.processes > torch.cuda.device_count():
        raise ConfigError(
            f"training: processes = {settings.processes}, this machine has {torch.cuda.device_count()} GPUs",
            "start no more processes than there are GPUs",
        )
    if settings.quantisation == "nf4" and importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError("training: quantisation = nf4 needs bitsandbytes", "install it beside torch")


def failure(directory: Path, output: Path, code: int, settings: TrainingSettings) -> TrainingError:
    """What a failed run's own error file says, else its last lines."""
    try:
        told = json.loads((directory / jobs.ERROR).read_text("utf-8"))
        kind = getattr(infra.errors, told["kind"])
        error = kind(told["message"], told["hint"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        error = None
    if isinstance(error, TrainingError):
        return error
    lines = output.read_text("utf-8", errors="replace").splitlines() if output.exists() else []
    last = "\n".join(lines[-LAST_LINES:])
    text = "\n".join(lines[-200:])
    if memory.is_out_of_memory(text) or "SIGKILL" in text:
        cause = next(
            (line for line in reversed(lines) if memory.is_out_of_memory(line)), "a process was killed"
        )
        return memory.out_of_memory(settings, cause.strip())
    return TrainingError(
        f"training processes ended with exit code {code}; last lines:\n{last}", f"whole output: {output}"
    )


@contextmanager
def _started(job: Path, settings: TrainingSettings) -> "Iterator[tuple[subprocess.Popen[str], Path]]":
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(settings.processes)]
    command += ["--master_addr", "127.0.0.1", "--master_port", str(_free_port())]
    command += ["-m", "tasks.finetune.training.hf", str(job)]
    output = job.parent / "output.log"
    with output.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield process, output
            process.wait()
        finally:
            if process.poll() is None:
                process.terminate()  # torchrun ends its workers before it ends
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _events(process: "subprocess.Popen[str]") -> Iterator[tuple[str, dict[str, Any]]]:
    for line in process.stdout or ():
        if line.startswith(jobs.EVENT):
            event = json.loads(line.removeprefix(jobs.EVENT))
            yield event.pop("kind"), event
        elif line.strip():
            log.debug("training process: %s", line.rstrip())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
