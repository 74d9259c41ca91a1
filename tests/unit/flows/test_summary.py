"""What `assay run` says at the end, and its exit code."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flows.cli.summary import summarise
from infra.errors import ConfigError, Unavailable
from infra.workspace import Workspace

WORKSPACE = cast(
    Workspace, SimpleNamespace(project=SimpleNamespace(name="triage"), releases=Path("releases"))
)


def state(name: str, message: str, *, completed: bool = False, error: Exception | None = None) -> Any:
    return SimpleNamespace(
        name=name,
        message=message,
        data=error,
        is_paused=lambda: False,
        is_completed=lambda: completed,
        result=lambda raise_on_failure: error,
    )


def test_a_verdict_is_exit_3_and_no_malfunction() -> None:
    for name in ("Blocked", "Rejected", "Breached"):
        summary = summarise(WORKSPACE, "lifecycle", state(name, "gate x: 0.1 > 0.2"), 1.0)
        assert summary.exit_code == 3
        assert summary.text.startswith(f"{name}: gate x: 0.1 > 0.2")


@pytest.mark.parametrize(
    ("last", "card"),
    [
        ("card: /a b/c.html", "/a b/c.html"),
        ("card: /c.html (shown nowhere else: MLflow does not answer)", "/c.html"),
        ("card: none: disk full", None),
        ("", None),
    ],
)
def test_a_block_names_its_card(last: str, card: str | None) -> None:
    summary = summarise(WORKSPACE, "lifecycle", state("Blocked", f"gate x: fails\n{last}"), 1.0)
    assert summary.content.get("card") == card


def test_a_crash_is_the_error_s_own_exit_code() -> None:
    failed = state("Failed", "boom", error=ConfigError("wrong key", "did you mean"))
    assert summarise(WORKSPACE, "lifecycle", failed, 1.0).exit_code == 2
    down = state("Failed", "boom", error=Unavailable("mlflow is down"))
    summary = summarise(WORKSPACE, "lifecycle", down, 1.0)
    assert summary.exit_code == 1
    assert "mlflow is down" in summary.text


def test_an_unknown_end_is_never_a_pass() -> None:
    for name in ("Crashed", "Cancelled", "Failed", "TimedOut"):
        assert summarise(WORKSPACE, "lifecycle", state(name, "gone"), 1.0).exit_code == 1


def test_a_finished_phase_says_so() -> None:
    summary = summarise(WORKSPACE, "develop", state("Completed", "", completed=True), 12.0)
    assert (summary.exit_code, summary.text) == (0, "ASSAY RUN: DONE develop in 12 s")
