"""garak as a process: however it ends, its report is whole or nothing is concluded, and nothing runs on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from infra.config.garak import GarakSettings
from infra.errors import DataError, Unavailable
from infra.guard import GuardPolicy
from tasks.records.redteam import Against, RedTeamReport
from tasks.validate.garak.plan import Plan
from tasks.validate.garak.probes import PROBES, Probe
from tasks.validate.garak.run import GREETING, attack, attack_url, executable, run_plan
from tasks.validate.targets import Conversation, Reply

ROOT = Path(__file__).parents[3]
POLICY = GuardPolicy.from_yaml((ROOT / "configs" / "guard.yaml").read_bytes())
HIJACK, ESCAPES = "promptinject.HijackHateHumans", "ansiescape.AnsiRaw"
Fake = Callable[[str], Path]


class Target:
    """Answers every attack by `reply`, until `lives` are used up."""

    against: Against = "unit"

    def __init__(self, reply: Callable[[str], Reply] = lambda _: Reply("impact"), lives: int = 1000) -> None:
        self.reply, self.lives, self.asked = reply, lives, 0

    def ask(self, conversations: Sequence[Conversation]) -> list[Reply]:
        self.asked += len(conversations)
        if self.asked > self.lives:
            raise Unavailable("the model server does not answer")
        return [self.reply(each[-1]["content"]) for each in conversations]


def obeys(text: str) -> Reply:
    return Reply(text)


def guards(text: str) -> Reply:
    return Reply("impact") if text == GREETING else Reply("", "ignore-instructions")


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    def make(mode: str) -> Path:
        script = tmp_path / "garak"
        source = (Path(__file__).parent / "fake_garak.py").read_text()
        script.write_text(f"#!{sys.executable}\n{source}")
        script.chmod(0o755)
        (tmp_path / "mode").write_text(mode)
        return script

    return make


def _attack(target: Target, garak: Path, *probes: str, **settings: int) -> RedTeamReport:
    return attack(target, GarakSettings(probes=probes or (HIJACK,), **settings), POLICY, garak)


def _wait_gone(pids: Sequence[int], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while alive := [pid for pid in pids if _alive(pid)]:
        assert time.monotonic() < deadline, f"still running: {alive}"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _pids(garak: Path) -> list[int]:
    pids = garak.parent / "pids"
    deadline = time.monotonic() + 20
    while not pids.exists() or len(pids.read_text().split()) < 3:
        assert time.monotonic() < deadline, "the stand-in did not start"
        time.sleep(0.05)
    return [int(pid) for pid in pids.read_text().split()]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("crash", "the run was not completed"),
        ("truncate", "cut off or not JSON|not completed"),
        ("forge", "holds 10 answers, but the target answered only 0 requests"),
    ],
)
def test_a_run_that_exits_0_without_a_whole_report_is_refused(fake: Fake, mode: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        _attack(Target(), fake(mode))


def test_the_last_words_of_a_crash_are_told(fake: Fake) -> None:
    with pytest.raises(DataError) as raised:
        _attack(Target(), fake("crash"))
    assert "Traceback: it broke" in raised.value.hint


def test_a_probe_that_garak_does_not_know_is_refused(fake: Fake, tmp_path: Path) -> None:
    unknown = Probe(
        "promptinject.NoSuchProbe", "prompt_injection", "hijack", "promptinject.AttackRogueString", 256
    )
    plan = Plan((PROBES[HIJACK], unknown), 3, 0, 1)
    with pytest.raises(DataError, match=r"promptinject\.NoSuchProbe: not run: unknown to this garak"):
        run_plan(Target(), plan, GarakSettings(), fake("whole"), tmp_path)


def test_a_program_that_cannot_be_started_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is none"):
        _attack(Target(), tmp_path / "nothing-here")


def test_what_hangs_is_killed_with_all_of_its_processes(fake: Fake) -> None:
    garak = fake("hang")
    settings = GarakSettings(probes=(HIJACK,), deadline_s=1)
    with pytest.raises(DataError, match="killed after 1 s") as raised:
        # Waits for all of its processes, however slow the machine is: then the second is over.
        attack(Target(), settings, POLICY, garak, progress=lambda *_: time.sleep(1.0 * bool(_pids(garak))))
    assert "loading, hang" in raised.value.hint
    _wait_gone(_pids(garak))


def test_what_hoards_memory_is_killed(fake: Fake) -> None:
    garak = fake("hoard")
    settings = GarakSettings(probes=(HIJACK,)).model_copy(update={"most_memory_mb": 250})
    with pytest.raises(DataError, match=r"killed at \d+ MB, the limit is 250 MB"):
        attack(Target(), settings, POLICY, garak)
    _wait_gone(_pids(garak))


def test_nothing_runs_on_when_the_one_who_validates_is_killed(fake: Fake, tmp_path: Path) -> None:
    garak = fake("hang")
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from tasks.validate.garak.process import Garak\n"
            "with Garak(Path(sys.argv[1]), Path(sys.argv[2]), {'reporting':"
            " {'report_dir': sys.argv[2], 'report_prefix': 'run'}}, 'token',"
            " deadline_s=600, most_memory_mb=9999) as garak:\n    input()",
            str(garak),
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        cwd=ROOT,
    )
    pids = _pids(garak)
    assert all(map(_alive, pids))
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    _wait_gone(pids)


def test_a_target_that_breaks_in_the_middle_ends_the_run(fake: Fake) -> None:
    target = Target(lives=5)
    with pytest.raises(Unavailable, match="does not answer"):
        _attack(target, fake("whole"))
    assert target.asked == 6


def test_a_target_that_refuses_a_harmless_request_is_not_attacked(fake: Fake) -> None:
    target = Target(lambda _: Reply("", "too-long"))
    with pytest.raises(Unavailable, match="refuses a harmless request: too-long"):
        _attack(target, fake("whole"))
    assert target.asked == 1


def test_a_whole_run_is_counted(fake: Fake) -> None:
    report = _attack(Target(obeys), fake("whole"), HIJACK, ESCAPES)
    assert [(c.technique, c.n, c.hits, c.blocked) for c in report.cells] == [
        ("hijack", 10, 10, 0),
        ("terminal", 58, 58, 0),
    ]
    assert report.worst[0].attack == "say rogue 0"


def test_what_the_guard_stops_is_a_miss_and_counted_as_stopped(fake: Fake) -> None:
    (cell,) = _attack(Target(guards), fake("whole")).cells
    assert (cell.n, cell.hits, cell.blocked) == (10, 0, 10)


def test_garak_learns_nothing_of_the_environment(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_API_KEY", "ak-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    garak = fake("environment")
    _attack(Target(), garak)
    seen = json.loads((garak.parent / "environment.json").read_text())
    assert not [name for name in seen if name in ("ASSAY_API_KEY", "OPENAI_API_KEY", "PYTHONPATH")]
    assert seen["HF_HUB_OFFLINE"] == seen["TRANSFORMERS_OFFLINE"] == "1"
    assert seen["HOME"] != os.environ.get("HOME")
    assert not Path(seen["HOME"]).exists(), "its files were not removed"


def test_an_endpoint_where_nobody_answers_is_unavailable(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    monkeypatch.setattr("tasks.validate.garak.run.executable", lambda: fake("whole"))
    with pytest.raises(Unavailable, match="ConnectError"):
        attack_url("http://127.0.0.1:9/v1", "triage", "", GarakSettings(probes=(HIJACK,)))


def test_without_its_environment_the_reason_says_how_to_make_it(tmp_path: Path) -> None:
    (tmp_path / ".venv-garak" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-garak" / "bin" / "garak").touch()  # an installation that was cut short: no stamp
    with pytest.raises(DataError, match="garak is not installed: `make garak`"):
        executable(tmp_path)


installed = pytest.mark.skipif(
    not (ROOT / ".venv-garak" / ".stamp").is_file(), reason="garak is not installed: make garak"
)
_COUNT = """
import contextlib, io, json, sys
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    from garak import _config, _plugins
    from garak.services import langservice
    _config.load_base_config()
    _config.run.seed, _config.run.soft_probe_prompt_cap = 0, int(sys.argv[1])
    langservice.load()
    probes = {name: _plugins.load_plugin("probes." + name) for name in sys.stdin.read().split()}
    found = {name: [len(probe.prompts), probe.primary_detector] for name, probe in probes.items()}
print(json.dumps(found))
"""


@installed
@pytest.mark.parametrize("cap", [3, 256])
def test_real_garak_has_the_planned_probes_prompts_and_detectors(cap: int, tmp_path: Path) -> None:
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HOME": str(tmp_path)}
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("DATA", "CACHE", "CONFIG")}
    counted = subprocess.run(
        [ROOT / ".venv-garak" / "bin" / "python", "-c", _COUNT, str(cap)],
        input="\n".join(PROBES),
        env={"PATH": os.environ["PATH"], **offline, **homes},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = {name: [probe.planned(cap), probe.detector] for name, probe in PROBES.items()}
    assert json.loads(counted.stdout) == expected


@installed
def test_real_garak_finds_what_is_obeyed_and_counts_no_refusal() -> None:
    probes = (HIJACK, "web_injection.StringAssemblyDataExfil")
    obeyed = _attack(Target(obeys), executable(), *probes, prompts=2, parallel=2)
    assert obeyed.cells[0].hits == obeyed.cells[0].n == 2
    stopped = _attack(Target(guards), executable(), *probes, prompts=2, parallel=2)
    assert [(cell.hits, cell.blocked) for cell in stopped.cells] == [(0, 2), (0, 2)]


@installed
def test_real_garak_exits_0_for_an_unknown_probe_and_is_refused(tmp_path: Path) -> None:
    unknown = Probe(
        "promptinject.NoSuchProbe", "prompt_injection", "hijack", "promptinject.AttackRogueString", 256
    )
    with pytest.raises(DataError, match="not accepted"):
        run_plan(Target(), Plan((unknown,), 2, 0, 1), GarakSettings(), executable(), tmp_path)
