"""Where something is not as it must be, nothing is trained; what is found is recorded."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.config import Project
from infra.config.environment import EnvironmentSettings
from infra.config.load import REPOSITORY
from infra.digest import digest_tree
from infra.errors import DataError, TrainingError
from tasks.finetune.environment import attest_environment, machine
from tasks.finetune.environment.attest import check_base, check_secrets
from tasks.finetune.environment.packages import check_lock
from tasks.finetune.environment.secrets import allowed_patterns, sort_secrets
from tests.unit.tasks.deploy.samples import safetensors
from tests.unit.tasks.finetune.provenance.samples import make_project

NOW = datetime(2026, 11, 1, 2, tzinfo=UTC)
SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture
def base(tmp_path: Path) -> Path:
    root = tmp_path / "base"
    root.mkdir()
    (root / "config.json").write_text("{}")
    (root / "model.safetensors").write_bytes(safetensors([1.0]))
    return root


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what every process has, so that the developer's own variables decide nothing."""
    for name in list(os.environ):
        if name not in ("PATH", "HOME", "LANG", "TMPDIR"):
            monkeypatch.delenv(name)


def project(**environment: object) -> Project:
    settings = EnvironmentSettings.model_validate(environment)
    return make_project(root=REPOSITORY / "configs", environment=settings)


def attest(project: Project, base: Path, code: Path, pin: str = "") -> object:
    return attest_environment(
        project, base=pin or digest_tree(base), base_dir=base, run="", now=NOW, code=code
    )


@pytest.mark.parametrize(
    ("match", "settings", "pin"),
    [
        ("base model: got", {}, "sha256:" + "0" * 64),
        ("no known commit", {"require_clean": True}, ""),
        (r"requirements\.lock does not exist", {"require_lock": True}, ""),
    ],
)
def test_what_is_refused_trains_nothing(
    base: Path, tmp_path: Path, match: str, settings: dict[str, object], pin: str
) -> None:
    with pytest.raises(TrainingError, match=match):
        attest(project(**settings), base, tmp_path, pin)


def test_a_secret_that_nobody_named_is_refused_and_not_repeated(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    with pytest.raises(TrainingError, match="training has no use for: GITHUB_TOKEN") as caught:
        attest(project(), base, tmp_path)
    assert SECRET not in caught.value.diagnostics()


def test_an_unsafe_base_is_refused(base: Path) -> None:
    (base / "modeling.py").write_text("import os")
    with pytest.raises(DataError, match=r"modeling\.py"):
        check_base(digest_tree(base), base)


def test_an_empty_lock_is_refused() -> None:
    with pytest.raises(TrainingError, match="no pinned version"):
        check_lock("# nothing\n", {"numpy": "1"})


@pytest.mark.parametrize(
    ("lock", "found", "result"),
    [
        ("a==1.0\nb==2 ; sys_platform == 'nowhere'\n", {"a": "1.0+cpu", "b": "3"}, (1, 0)),
        ("A_b.c==1.0 \\\n", {"a-b-c": "1.0"}, (1, 0)),
        ("a==1\nb==2\n", {"b": "2"}, (1, 1)),
    ],
)
def test_versions_are_compared_by_name_and_marker(
    lock: str, found: dict[str, str], result: tuple[int, int]
) -> None:
    assert check_lock(lock, found) == result


def test_only_five_differences_are_named() -> None:
    lock = "".join(f"p{number}==1\n" for number in range(9))
    with pytest.raises(TrainingError, match=r"p4: got 2, locked is 1 \(and 4 more\)"):
        check_lock(lock, {f"p{number}": "2" for number in range(9)})


def test_a_report_does_not_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter22")
    with pytest.raises(TrainingError, match="DB_PASSWORD"):
        check_secrets(project())
    assert check_secrets(project(unnamed_secrets="report")) == ((), ("DB_PASSWORD",))


def test_what_the_configuration_refers_to_is_allowed() -> None:
    settings = make_project(notify={"webhook": "env:PAGER_URL"}, store="s3://bucket/prefix")
    allowed = allowed_patterns(settings)
    assert sort_secrets(["PAGER_URL", "AWS_SECRET_ACCESS_KEY", "OTHER_TOKEN"], allowed) == (
        ("AWS_SECRET_ACCESS_KEY", "PAGER_URL"),
        ("OTHER_TOKEN",),
    )
    assert "AWS_*" not in allowed_patterns(make_project())


def test_the_code_version_follows_the_repository(tmp_path: Path) -> None:
    assert machine.code_version(tmp_path) == ("unknown", None)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / "code.py").write_text("a = 1\n")
    subprocess.run([*git, "add", "code.py"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "first"], check=True)
    commit, dirty = machine.code_version(tmp_path)
    assert (len(commit), dirty) == (40, False)
    (tmp_path / "code.py").write_text("a = 2\n")
    assert machine.code_version(tmp_path) == (commit, True)
    # A directory below is not this repository's root: its commit says nothing about that code.
    (tmp_path / "below").mkdir()
    assert machine.code_version(tmp_path / "below") == ("unknown", None)


@pytest.mark.parametrize(
    ("files", "memory", "cpus"),
    [
        ({}, None, None),
        ({"memory.max": "max", "cpu.max": "max 100000"}, None, None),
        ({"memory.max": "1073741824", "cpu.max": "150000 100000"}, 1 << 30, 1.5),
        ({"memory.max": "what", "cpu.max": "1 0"}, None, None),
    ],
)
def test_limits_of_a_control_group(
    tmp_path: Path, files: dict[str, str], memory: int | None, cpus: float | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    found = machine.limits(2, tmp_path)
    assert (found.memory_bytes, found.cpus) == (memory, cpus)
    assert found.affinity >= 1
