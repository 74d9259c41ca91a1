"""One run at a time, and a lock that dies with its holder."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from infra.errors import Unavailable
from infra.locks import hold

HOLDER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from infra.locks import hold
    with hold(Path(sys.argv[1]), "lifecycle-triage", "lifecycle of triage"):
        print("held", flush=True)
        time.sleep(60)
    """
)


def test_the_second_run_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(Unavailable, match=rf"lifecycle of triage \(pid {first.pid}"),
            hold(tmp_path, "lifecycle-triage", "second"),
        ):
            pass
        with hold(tmp_path, "lifecycle-weakness", "another project"):
            pass
    finally:
        first.kill()
        first.wait()
        first.stdout and first.stdout.close()
    with hold(tmp_path, "lifecycle-triage", "after a kill -9"):
        pass


def test_whoever_waits_gets_the_lock_when_its_holder_is_gone(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(Unavailable), hold(tmp_path, "lifecycle-triage", "in a hurry", wait_s=0.3):
            pass
        threading.Timer(0.5, first.kill).start()
        with hold(tmp_path, "lifecycle-triage", "patient", wait_s=30):
            assert first.wait(timeout=5) != 0
    finally:
        first.kill()
        first.wait()
        first.stdout and first.stdout.close()


def test_a_run_may_hold_what_it_holds(tmp_path: Path) -> None:
    with hold(tmp_path, "a", "outer"), hold(tmp_path, "a", "inner"):
        pass
    with hold(tmp_path, "a", "again"):
        pass


def test_those_who_share_work_side_by_side_and_nobody_alone(tmp_path: Path) -> None:
    with (
        hold(tmp_path, "store", "first", shared=True),
        hold(tmp_path, "store", "second", shared=True),
        pytest.raises(Unavailable, match="second"),
        hold(tmp_path, "store", "cleaning"),
    ):
        pass
    with hold(tmp_path, "store", "cleaning"):
        pass
