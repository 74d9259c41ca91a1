"""A parent that is killed leaves no child behind, and the next run measures what was not finished."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.integration.validate.runner.conftest import Bench

_PARENT = """
import sys
from infra.workspace import open_workspace
from tasks.records import Candidate
from tasks.validate.runner import run_check
candidate = Candidate.model_validate_json(sys.argv[1])
print(run_check(open_workspace("default", "embedded"), candidate, "fake", "fake"))
"""


def test_no_child_outlives_it_and_a_second_run_works(bench: Bench) -> None:
    pids = bench.modules / "pids"
    bench.declare(
        f"""
        import os, pathlib, subprocess, sys, time
        file = pathlib.Path({str(pids)!r})
        if file.exists():
            return [evidence(candidate)]
        helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        file.with_suffix(".part").write_text(f"{{os.getpid()}} {{helper.pid}}")
        file.with_suffix(".part").rename(file)
        time.sleep(600)
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, bench.candidate.model_dump_json()],
        env={**os.environ, "PYTHONPATH": f"{bench.modules}"},
    )
    wait_for(pids)
    children = [int(pid) for pid in pids.read_text().split()]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _, still_there = psutil.wait_procs(
        [psutil.Process(pid) for pid in children if psutil.pid_exists(pid)], 20
    )
    assert still_there == []
    assert bench.run().failure is None


def wait_for(file: Path) -> None:
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
