"""A killed training run goes on where it was and ends with the same bits."""

import random
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_tree
from tests.integration.finetune.kill_runs import STEPS, Run, killed_and_resumed, ready, run


@pytest.fixture(scope="module")
def loaded(base: Path) -> Any:
    return ready(base)


@pytest.fixture(scope="module")
def whole(loaded: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("whole")
    result = run(loaded, output)
    assert result.steps == tuple(range(1, STEPS + 1))
    assert result.digest == digest_tree(output / "adapter")
    assert 0 < result.best_step < STEPS  # not the last: what resumes must remember the best
    return result


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_a_random_point(loaded: Any, whole: Run, tmp_path: Path, seed: int) -> None:
    first, second = killed_and_resumed(loaded, tmp_path, random.Random(seed))
    assert not first.digest, "the run ended before it was killed"
    assert second.digest == whole.digest
    assert second.best_step == whole.best_step
    assert second.steps == tuple(range(second.resumed_from + 1, STEPS + 1))
    assert second.resumed_from <= first.steps[-1] < second.resumed_from + 4


def test_killed_twice(loaded: Any, whole: Run, tmp_path: Path) -> None:
    run(loaded, tmp_path, kill_at=5)
    run(loaded, tmp_path, kill_at=8)
    assert run(loaded, tmp_path).digest == whole.digest


def test_finished_run_does_no_step_again(loaded: Any, whole: Run, tmp_path: Path) -> None:
    run(loaded, tmp_path)
    again = run(loaded, tmp_path)
    assert (again.steps, again.digest, again.resumed_from) == ((), whole.digest, STEPS)


def test_half_written_and_broken_checkpoints_are_not_used(loaded: Any, whole: Run, tmp_path: Path) -> None:
    run(loaded, tmp_path, kill_at=5)
    file = tmp_path / "checkpoint" / "checkpoint.safetensors"
    leftover = file.with_name(".checkpoint.safetensors.abc.part")
    leftover.write_bytes(b"half")
    file.write_bytes(file.read_bytes()[:-100])
    again = run(loaded, tmp_path)
    assert (again.digest, again.resumed_from) == (whole.digest, 0)
    assert not leftover.exists()
