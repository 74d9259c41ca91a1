"""Checks made of a few lines, run in real child processes against a workspace of their own."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.workspace import Workspace, open_workspace
from tasks.records import Candidate
from tasks.validate.runner import Outcome, run_check
from tests.unit.tasks.deploy.samples import SOME, make_candidate

_MODULE = """
from tasks.records import Evidence
from tasks.validate.check import Check


def evidence(candidate, metric="attack_success", value=0.1, **more):
    fields = dict(metric=metric, value=value, lower=value, upper=value, n=60, method="exact",
                  inputs={{"candidate": candidate.unit}})
    return Evidence(**(fields | more))


def run(workspace, candidate):
{body}


CHECK = Check({name!r}, {metrics!r}, {deadline_s!r}, ({name!r},), run, optional={optional!r}, kept={kept!r})
"""


@dataclass
class Bench:
    """Runs checks that are written down as text."""

    workspace: Workspace
    modules: Path
    candidate: Candidate = field(default_factory=lambda: make_candidate(SOME, SOME))
    declared: set[str] = field(default_factory=set)

    def declare(
        self,
        body: str,
        name: str = "fake",
        *,
        metrics: tuple[str, ...] = ("attack_success",),
        optional: tuple[str, ...] = (),
        deadline_s: float = 60,
        kept: bool = True,
    ) -> str:
        text = _MODULE.format(
            body=textwrap.indent(textwrap.dedent(body).strip(), "    "),
            name=name,
            metrics=metrics,
            optional=optional,
            deadline_s=deadline_s,
            kept=kept,
        )
        (self.modules / f"{name}.py").write_text(text)
        self.declared.add(name)
        return name

    def run(self, name: str = "fake") -> Outcome:
        return run_check(self.workspace, self.candidate, name, name)

    def reason(self, name: str = "fake") -> str:
        """Why it failed; there must be no evidence beside."""
        outcome = self.run(name)
        assert outcome.failure is not None
        assert outcome.evidence == ()
        assert outcome.failure.check == name
        assert outcome.failure.metrics == (("attack_success",) if name in self.declared else ())
        assert "\n" not in outcome.failure.reason
        return outcome.failure.reason

    def log(self, name: str = "fake") -> str:
        return (self.workspace.home / "logs" / "checks" / f"triage-{name}.log").read_text()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    modules = tmp_path / "modules"
    modules.mkdir()
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.syspath_prepend(str(modules))
    _forget(modules, monkeypatch)
    return Bench(open_workspace("default", "embedded"), modules)


def _forget(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every declaration is imported anew, also when one test writes it twice."""
    import importlib
    import sys

    from tasks.validate import checks

    load: Callable[[str, str], object] = checks.load_check

    def fresh(name: str, module: str) -> object:
        sys.modules.pop(module, None)
        importlib.invalidate_caches()
        return load(name, module)

    monkeypatch.setattr("tasks.validate.runner.run.load_check", fresh)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
