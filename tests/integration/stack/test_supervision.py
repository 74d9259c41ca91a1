"""A real supervisord with small services: what dies comes back, what is stopped is gone."""

import dataclasses
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from infra.errors import ConfigError, Unavailable
from infra.stack import processes, record
from infra.stack.control import Blueprint, bring_up, down, endpoints, status
from infra.stack.record import Stack
from infra.stack.supervisor import Supervisor
from tests.integration.stack.conftest import free_port, web


def pid_of(home: Path, name: str) -> int:
    pid = Supervisor(home).processes()[name].pid
    assert pid is not None
    return pid


def wait_until(condition, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.05)


def supervisor_pid(stack: Stack) -> int:
    assert stack.supervisor_pid is not None
    return stack.supervisor_pid


def test_second_up_does_nothing(blueprint: Blueprint, home: Path) -> None:
    first = bring_up(blueprint)
    before = {name: info.pid for name, info in Supervisor(home).processes().items()}
    begin = time.monotonic()
    second = bring_up(blueprint)
    assert time.monotonic() - begin < 2
    assert second == first
    assert {name: info.pid for name, info in Supervisor(home).processes().items()} == before
    assert status(home).ready


def test_everything_is_private(blueprint: Blueprint, home: Path) -> None:
    bring_up(blueprint)
    for path in [*(home / "run").iterdir(), *(home / "logs").iterdir(), Supervisor(home).socket]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_killed_service_comes_back_on_its_port(blueprint: Blueprint, home: Path) -> None:
    stack = bring_up(blueprint)
    for name in ("one", "two"):
        old = pid_of(home, name)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda name=name, old=old: Supervisor(home).processes()[name].pid not in (old, None))
        wait_until(lambda: status(home).ready)
    assert {s.name: s.restarts for s in status(home).services} == {"one": 1, "two": 1}
    assert bring_up(blueprint).ports == stack.ports


def test_child_of_a_killed_service_does_not_keep_its_port(home: Path) -> None:
    # As `mlflow server` does: the supervised process starts another one that listens.
    port = free_port()
    script = home / "parent.py"
    script.write_text(
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-m', 'http.server', '{port}', '--bind', '127.0.0.1'])\n"
    )
    command = (sys.executable, str(script))
    bring_up(Blueprint(home, {"one": port}, lambda ports: (web("one", ports["one"], command=command),)))
    old = pid_of(home, "one")
    child = psutil.Process(old).children()[0]
    os.kill(old, signal.SIGKILL)
    assert child.is_running()
    wait_until(lambda: Supervisor(home).processes()["one"].pid not in (old, None))
    wait_until(lambda: status(home).ready)
    assert not child.is_running()


def test_child_of_a_killed_worker_goes_on_until_down(home: Path) -> None:
    port = free_port()
    script = home / "parent.py"
    script.write_text(
        "import http.server, subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        f"http.server.test(http.server.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')\n"
    )
    service = dataclasses.replace(web("one", port, command=(sys.executable, str(script))), sole=False)
    bring_up(Blueprint(home, {"one": port}, lambda _: (service,)))
    old = pid_of(home, "one")
    wait_until(lambda: len(psutil.Process(old).children()) == 1)
    flow = psutil.Process(old).children()[0]
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: Supervisor(home).processes()["one"].pid not in (old, None))
    wait_until(lambda: status(home).ready)
    assert flow.is_running()
    down(home)
    assert not flow.is_running()


def test_killed_supervisor_is_repaired_on_the_same_ports(blueprint: Blueprint, home: Path) -> None:
    stack = bring_up(blueprint)
    orphan = pid_of(home, "one")
    os.kill(supervisor_pid(stack), signal.SIGKILL)
    wait_until(lambda: not Supervisor(home).answers())
    assert psutil.pid_exists(orphan)
    assert not status(home).running
    with pytest.raises(Unavailable, match="do not run") as caught:
        endpoints(home)
    assert "assay up" in caught.value.hint

    repaired = bring_up(blueprint)
    assert repaired.ports == stack.ports
    assert repaired.supervisor_pid != stack.supervisor_pid
    assert processes.wait_gone(orphan, 1)
    assert status(home).ready


def test_down_ends_orphans_of_a_killed_supervisor(blueprint: Blueprint, home: Path) -> None:
    os.kill(supervisor_pid(bring_up(blueprint)), signal.SIGKILL)
    assert down(home) is True
    assert processes.marked(home) == []
    assert down(home) is False


def test_down_ends_children_that_left_the_group_and_ignore_sigterm(home: Path) -> None:
    port = free_port()
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    script = home / "parent.py"
    script.write_text(
        "import http.server, subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {stubborn!r}], start_new_session=True)\n"
        f"http.server.test(http.server.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')\n"
    )
    command = (sys.executable, str(script))
    bring_up(Blueprint(home, {"one": port}, lambda ports: (web("one", ports["one"], command=command),)))
    child = psutil.Process(pid_of(home, "one")).children()[0]
    wait_until(lambda: len(processes.marked(home)) == 3)
    assert down(home) is True
    assert not child.is_running()


def test_down_spares_other_homes(blueprint: Blueprint, home: Path, tmp_path: Path) -> None:
    bring_up(blueprint)
    assert down(tmp_path / "elsewhere") is False
    assert status(home).ready


def test_taken_port_moves_and_is_remembered(blueprint: Blueprint, home: Path) -> None:
    wanted = blueprint.preferred["one"]
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", wanted))
        squatter.listen()
        moved = bring_up(blueprint).ports["one"]
        assert moved > wanted
        assert status(home).ready
        down(home)
    assert bring_up(blueprint).ports["one"] == moved


def test_taken_fixed_port_is_refused_by_name_and_starts_nothing(blueprint: Blueprint, home: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", blueprint.preferred["two"]))
        squatter.listen()
        with pytest.raises(
            ConfigError, match=f"port {blueprint.preferred['two']} for two.*pid {os.getpid()}"
        ):
            bring_up(dataclasses.replace(blueprint, fixed=True))
    assert processes.marked(home) == []


def test_other_preferred_ports_move_the_stack(blueprint: Blueprint, home: Path) -> None:
    bring_up(blueprint)
    port = free_port()
    moved = bring_up(dataclasses.replace(blueprint, preferred={**blueprint.preferred, "one": port}))
    assert moved.ports["one"] == port
    assert status(home).ready


def test_changed_service_alone_is_restarted(blueprint: Blueprint, home: Path) -> None:
    bring_up(blueprint)
    one, two = pid_of(home, "one"), pid_of(home, "two")
    changed = dataclasses.replace(
        blueprint,
        services=lambda ports: tuple(
            dataclasses.replace(s, environment={"NEW": "1"}) if s.name == "one" else s
            for s in blueprint.services(ports)
        ),
    )
    bring_up(changed)
    assert (pid_of(home, "one") != one, pid_of(home, "two") != two) == (True, False)
    assert psutil.Process(pid_of(home, "one")).environ()["NEW"] == "1"


def test_dying_service_is_reported_with_the_end_of_its_log(home: Path) -> None:
    command = (sys.executable, "-c", "import time; time.sleep(.2); raise SystemExit('no database at hand')")
    broken = Blueprint(home, {"one": free_port()}, lambda ports: (web("one", ports["one"], command=command),))
    with pytest.raises(Unavailable, match="one keeps dying") as caught:
        bring_up(broken)
    assert "no database at hand" in caught.value.message
    assert str(record.log_file(home, "one")) in caught.value.hint
    assert not status(home).ready


def test_silent_service_times_out_with_its_log(home: Path) -> None:
    command = (sys.executable, "-uc", "import time; print('thinking'); time.sleep(600)")
    slow = Blueprint(
        home,
        {"one": free_port()},
        lambda ports: (dataclasses.replace(web("one", ports["one"], command=command), ready_s=1.5),),
    )
    with pytest.raises(Unavailable, match=r"not ready after .* does not listen(.|\n)*thinking"):
        bring_up(slow)


def test_answer_of_a_stranger_on_the_port_is_not_readiness(home: Path) -> None:
    port = free_port()
    stranger = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(1)
        mute = (sys.executable, "-c", "import time; time.sleep(600)")
        service = dataclasses.replace(web("one", port, command=mute), ready_s=2)
        with pytest.raises(Unavailable, match="does not listen"):
            bring_up(Blueprint(home, {}, lambda _: (service,)))
    finally:
        stranger.kill()
        stranger.wait()


def test_concurrent_ups_agree(blueprint: Blueprint, home: Path) -> None:
    code = f"""
        import json
        from pathlib import Path
        from infra.stack.control import Blueprint, bring_up
        from tests.integration.stack.conftest import web
        stack = bring_up(Blueprint(Path({str(home)!r}), {dict(blueprint.preferred)!r}, lambda ports: (
            web("one", ports["one"]), web("two", ports["two"], after="one"))))
        print(json.dumps([stack.supervisor_pid, stack.ports]))
    """
    root = Path(__file__).parents[3]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, cwd=root
        )
        for _ in range(3)
    ]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][1] == dict(blueprint.preferred)
    daemons = [p for p in processes.marked(home) if "supervisor.supervisord" in p.cmdline()]
    assert len(daemons) == 1


def test_long_home_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    home.mkdir(mode=0o700)
    bring_up(Blueprint(home, {"one": free_port()}, lambda ports: (web("one", ports["one"]),)))
    try:
        assert status(home).ready
        assert stat.S_IMODE(Supervisor(home).socket.parent.stat().st_mode) == 0o700
    finally:
        assert down(home)
    assert not Supervisor(home).socket.exists()
