"""Small training runs in forked processes that can be killed: how many end with the bits of a whole run.

    python tests/integration/finetune/kill_runs.py --kills 10 --seed 1

Rows differ from epoch to epoch, validation rows decide which weights are kept: all of it must resume.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from infra.models.threads import wait_passively
from tests.integration.finetune.samples import LABELS, TEXTS, render

STEPS = 18


@dataclass(frozen=True)
class Run:
    """What one process told before it ended."""

    steps: tuple[int, ...]
    digest: str = ""
    resumed_from: int = 0
    best_step: int = 0


def train_once(loaded: Any, output: Path, tell: Callable[[str], None]) -> None:
    from tasks.finetune.training.loop import train
    from tasks.finetune.training.rows import TrainingExample
    from tasks.finetune.training.settings import TrainingSettings

    def rows(epoch: int) -> list[TrainingExample]:
        return [
            TrainingExample(f"{text} {n if n % 2 else n * epoch}", LABELS[n % len(LABELS)])
            for n, text in enumerate(TEXTS * 3)
        ]

    settings = TrainingSettings(
        epochs=3,
        batch_size=4,
        lora_r=4,
        trained_layers=2,
        learning_rate=0.02,
        checkpoint_every=3,
        validate_every=2,
        patience=None,
        metric="loss",
        keep="best",
        threads=1,
    )
    result = train(
        loaded,
        rows(1),
        render,
        settings,
        base_digest="sha256:" + "0" * 64,
        checkpoint_dir=output / "checkpoint",
        output_dir=output / "adapter",
        epoch_examples=rows,
        validation=rows(9)[:4],
        on_step=lambda metrics: tell(str(metrics.step)),
    )
    tell(f"done {result.adapter_digest} {result.resumed_from_step} {result.best_step}")


def run(loaded: Any, output: Path, kill_at: int | None = None, after_s: float = 0.0) -> Run:
    """Trains `loaded` in a forked process, which has a copy of its own.

    Kills it `after_s` after it reported step `kill_at`.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            train_once(loaded, output, lambda line: _tell(writer, line))
            code = 0
        except BaseException:  # noqa: BLE001  # this process must not go on as its parent
            os.write(writer, f"failed {json.dumps(traceback.format_exc())}\n".encode())
        finally:
            os._exit(code)
    os.close(writer)
    steps: list[int] = []
    with os.fdopen(reader) as lines:
        for line in lines:
            if line.startswith("done"):
                _, digest, resumed, best = line.split()
                os.waitpid(child, 0)
                return Run(tuple(steps), digest, int(resumed), int(best))
            if line.startswith("failed"):
                raise AssertionError(json.loads(line.partition(" ")[2]))
            steps.append(int(line))
            if steps[-1] == kill_at:
                time.sleep(after_s)
                os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Run(tuple(steps))


def _tell(writer: int, line: str) -> None:
    os.write(writer, f"{line}\n".encode())
    time.sleep(0.005)  # a step takes a millisecond here: leave room to be killed in


def killed_and_resumed(loaded: Any, output: Path, draw: random.Random) -> tuple[Run, Run]:
    """One run killed at a random moment, and the run that goes on from there."""
    first = run(loaded, output, draw.randint(1, STEPS - 1), draw.random() * 0.02)
    return first, run(loaded, output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    wait_passively()
    from tests.integration.finetune.tiny import write_base

    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory) / "base"
        base.mkdir()
        write_base(base)
        loaded = ready(base)
        whole = run(loaded, Path(directory) / "whole")
        pairs = [
            killed_and_resumed(loaded, Path(directory) / f"killed-{n}", draw) for n in range(arguments.kills)
        ]
    identical = sum(second.digest == whole.digest != "" for _, second in pairs)
    killed: list[Any] = [first.steps[-1] for first, _ in pairs if not first.digest]
    print(json.dumps({"kills": len(killed), "identical": identical, "killed_after_steps": killed}))


def ready(base: Path) -> Any:
    """Everything heavy before the first fork. One thread, and none of a pool: others do not survive it."""
    import torch

    torch.set_num_threads(1)
    import tasks.finetune.training.loop  # noqa: F401  # loaded once, here
    from infra.models.load import load_base

    return load_base(base)


if __name__ == "__main__":
    main()
