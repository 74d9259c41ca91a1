"""A killed training run goes on where it was and ends with the same bits."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.digest import digest_tree

SCRIPT = Path(__file__).with_name("training_run.py")


def start(base: Path, output: Path, pause_s: float = 0.0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(base), str(output), str(pause_s)], stdout=subprocess.PIPE, text=True
    )


def finish(base: Path, output: Path) -> tuple[str, int, list[int]]:
    """(digest, step it went on from, steps it did)"""
    process = start(base, output)
    lines, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    *steps, last = lines.splitlines()
    _, digest, resumed = last.split()
    return digest, int(resumed), [int(step) for step in steps]


def kill_at(base: Path, output: Path, step: int) -> None:
    process = start(base, output, pause_s=0.2)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == str(step):
            process.kill()
            break
    assert process.wait(timeout=60) == -signal.SIGKILL
    process.stdout.close()


@pytest.fixture(scope="module")
def whole(base: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    output = tmp_path_factory.mktemp("whole")
    digest, resumed, steps = finish(base, output)
    assert (resumed, steps) == (0, list(range(1, 13)))
    assert digest == digest_tree(output / "adapter")
    return digest


@pytest.mark.parametrize(("step", "goes_on_from"), [(2, 0), (5, 3), (11, 9)])
def test_killed_run_gives_the_same_bits(
    base: Path, whole: str, tmp_path: Path, step: int, goes_on_from: int
) -> None:
    kill_at(base, tmp_path, step)
    assert not (tmp_path / "adapter").exists()
    digest, resumed, steps = finish(base, tmp_path)
    assert digest == whole
    assert resumed == goes_on_from
    assert steps == list(range(goes_on_from + 1, 13))


def test_run_killed_twice_gives_the_same_bits(base: Path, whole: str, tmp_path: Path) -> None:
    kill_at(base, tmp_path, 5)
    kill_at(base, tmp_path, 8)
    assert finish(base, tmp_path)[:2] == (whole, 6)


def test_finished_run_does_no_step_again(base: Path, whole: str, tmp_path: Path) -> None:
    finish(base, tmp_path)
    assert finish(base, tmp_path) == (whole, 12, [])


def test_half_written_and_broken_checkpoints_are_not_used(base: Path, whole: str, tmp_path: Path) -> None:
    kill_at(base, tmp_path, 5)
    file = tmp_path / "checkpoint" / "checkpoint.safetensors"
    leftover = file.with_name(".checkpoint.safetensors.abc.part")
    leftover.write_bytes(b"half")
    file.write_bytes(file.read_bytes()[:-100])
    assert finish(base, tmp_path)[:2] == (whole, 0)
    assert not leftover.exists()
