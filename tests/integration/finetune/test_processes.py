"""The backend `hf`: Trainer in processes, its checkpoints, its failures."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.errors import ConfigError, DataError, Diverged, OutOfMemory, TrainingError
from infra.models.load import load_base, load_tuned
from tasks.finetune.training.rows import TrainingExample
from tasks.finetune.training.settings import TrainingSettings
from tests.integration.finetune.samples import LABELS, TEXTS, render

pytestmark = pytest.mark.filterwarnings("ignore:.*:FutureWarning", "ignore:.*:UserWarning")

EXAMPLES = [TrainingExample(f"{text} {n}", LABELS[n % len(LABELS)]) for n, text in enumerate(TEXTS * 2)]
SETTINGS = TrainingSettings(
    backend="hf",
    epochs=2,
    batch_size=4,
    lora_r=4,
    trained_layers=2,
    checkpoint_every=3,
    keep="best",
    threads=1,
)


def test_two_processes_write_an_adapter_and_tell_of_every_step(base: Path, tmp_path: Path) -> None:
    import torch

    from tasks.finetune.training.loop import train

    steps: list[int] = []
    loaded = load_base(base, "float32")
    result = train(
        loaded,
        EXAMPLES,
        render,
        replace(SETTINGS, processes=2),
        base_digest="sha256:" + "0" * 64,
        checkpoint_dir=tmp_path / "checkpoint",
        output_dir=tmp_path / "adapter",
        validation=EXAMPLES[:4],
        on_step=lambda metrics: steps.append(metrics.step),
    )
    assert steps == list(range(1, 8))
    assert (result.engine, result.steps, len(result.losses)) == ("hf", 7, 7)
    assert [evaluation.step for evaluation in result.validations] == [4, 7]
    assert result.best_step in {4, 7}
    config = json.loads((result.adapter_dir / "adapter_config.json").read_text())
    assert config["layers_to_transform"] == [1, 2]
    assert str(tmp_path) not in json.dumps(config)
    ids = torch.arange(3, 40)[None]
    with torch.inference_mode():
        tuned = load_tuned(base, result.adapter_dir, "float32").model(input_ids=ids).logits
        taken_over = loaded.model(input_ids=ids).logits
        untouched = load_base(base, "float32").model(input_ids=ids).logits
    torch.testing.assert_close(tuned, taken_over, rtol=1e-4, atol=1e-4)
    assert float((tuned - untouched).abs().max()) > 1e-3
    assert not list((tmp_path / "checkpoint").iterdir())


@pytest.fixture
def job(base: Path, tmp_path: Path) -> Any:
    """A job of one process that runs in this one."""
    import os

    from tasks.finetune.training.job import Job
    from tasks.finetune.training.rows import encode_rows

    rows = encode_rows(load_base(base, "float32").tokenizer, render, EXAMPLES, 400)
    import psutil

    starter = psutil.Process(os.getppid()).ppid()
    return Job(tmp_path, base, "float32", SETTINGS, rows, None, starter)


def outcome(directory: Path) -> tuple[bytes, dict[str, Any]]:
    from tasks.finetune.training.job import RESULT, TENSORS

    return (directory / TENSORS).read_bytes(), json.loads((directory / RESULT).read_text())


def test_goes_on_from_its_own_checkpoint_with_the_same_bits(job: Any) -> None:
    import shutil

    from tasks.finetune.training.hf import run
    from tasks.finetune.training.job import CHECKPOINTS, last_checkpoint

    run(job)
    whole = outcome(job.directory)
    assert whole[1]["steps"] == 7
    checkpoints = job.directory / CHECKPOINTS
    shutil.rmtree(checkpoints / "checkpoint-7")
    half = checkpoints / "checkpoint-9"
    shutil.copytree(checkpoints / "checkpoint-6", half)
    (half / "trainer_state.json").unlink()
    resume = last_checkpoint(checkpoints, 1)
    assert resume == checkpoints / "checkpoint-6"
    assert not half.exists()
    run(replace(job, resume=resume))
    assert outcome(job.directory) == whole


def test_stops_when_nobody_waits(job: Any) -> None:
    from tasks.finetune.training.hf import run

    with pytest.raises(SystemExit, match="is gone"):
        run(replace(job, starter=2**30))


def test_a_job_survives_its_file_and_others_are_refused(job: Any) -> None:
    from tasks.finetune.training.job import load_job

    assert load_job(job.save()) == job
    (job.directory / "job.json").write_text("{}")
    with pytest.raises(DataError, match="is no training job"):
        load_job(job.directory / "job.json")


@pytest.mark.parametrize(
    ("error", "output", "kind", "text"),
    [
        ({"kind": "Diverged", "message": "diverged at step 3", "hint": "h"}, "", Diverged, "at step 3"),
        ({"kind": "AssayError", "message": "m", "hint": "h"}, "odd", TrainingError, "exit code 1"),
        ({"kind": "os", "message": "m", "hint": "h"}, "", TrainingError, "exit code 1"),
        (None, "E1\nSignal 9 (SIGKILL) received by PID 7\n", OutOfMemory, "a process was killed"),
        (None, "RuntimeError: not enough memory: 9 bytes\n", OutOfMemory, "not enough memory: 9 bytes"),
        (None, "\n".join(map(str, range(99))), TrainingError, "84\n"),
    ],
)
def test_failures(tmp_path: Path, error: Any, output: str, kind: type, text: str) -> None:
    from tasks.finetune.training.launch import failure

    if error:
        (tmp_path / "error.json").write_text(json.dumps(error))
    (tmp_path / "output.log").write_text(output)
    found = failure(tmp_path, tmp_path / "output.log", 1, SETTINGS)
    assert type(found) is kind
    assert text in found.message
    assert "83\n" not in found.message


@pytest.mark.parametrize("values", [{"sharding": "fsdp2"}, {"quantisation": "nf4"}])
def test_refuses_what_needs_a_gpu(values: dict[str, Any]) -> None:
    import torch

    from tasks.finetune.training.launch import refuse_without_gpu

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="need a GPU"):
        refuse_without_gpu(replace(SETTINGS, **values))
