"""Checks as tasks of a real flow: so many at a time, those that fail beside those that do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from infra.workspace import Workspace, open_workspace
from tasks.records import EvidenceSet
from tasks.validate import checks
from tasks.validate.runner.steps import run_checks
from tests.unit.tasks.deploy.samples import SOME, make_candidate

_MODULE = """
import json, time
from pathlib import Path
from tasks.records import Evidence
from tasks.validate.check import Check

def run(workspace, candidate):
    started = time.time()
    time.sleep({sleep})
    Path(__file__).with_suffix(".json").write_text(json.dumps([started, time.time()]))
    {last}
    return [Evidence(metric="{metric}", value=0.1, lower=0, upper=1, n=9, method="exact",
                     inputs={{"candidate": candidate.unit}})]

CHECK = Check("{name}", ("{metric}",), {deadline}, ("{name}",), run, after={after!r})
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    with prefect_test_harness(server_startup_timeout=300):
        yield open_workspace("default", "embedded")


def declare(
    directory: Path,
    name: str,
    metric: str,
    *,
    sleep: float = 1,
    last: str = "",
    deadline: float = 60,
    after: str = "",
) -> None:
    text = _MODULE.format(
        name=name, metric=metric, sleep=sleep, last=last, deadline=deadline, after=(after,) if after else ()
    )
    (directory / f"{name}.py").write_text(text)


def test_two_at_a_time_and_none_ends_the_run(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(tmp_path, "steady_check", "over_refusal", sleep=3)
    declare(tmp_path, "hanging_check", "attack_success", sleep=600, deadline=4)
    declare(tmp_path, "raising_check", "order_effect", last="raise SystemExit(0)")
    declare(tmp_path, "waiting_check", "label_noise", after=("steady_check",))
    names = ["steady_check", "hanging_check", "raising_check", "waiting_check", "absent_check"]
    monkeypatch.setattr(checks, "CHECKS", {name: name for name in names})
    candidate = make_candidate(SOME, SOME)
    before = EvidenceSet(candidate=candidate.unit, evidence=(), seconds=1.0)

    @flow
    def validate_it() -> EvidenceSet:
        return run_checks(workspace, candidate, before)

    found = validate_it()
    assert [item.metric for item in found.evidence] == ["over_refusal", "label_noise"]
    reasons = {failure.check: failure.reason for failure in found.failures}
    assert reasons.keys() == {"hanging_check", "raising_check", "absent_check"}
    assert reasons["hanging_check"] == "did not end within 4 s"
    assert reasons["raising_check"] == "raised SystemExit: 0"
    assert found.seconds > 1.0
    times = {
        name: json.loads((tmp_path / f"{name}.json").read_text())
        for name in ("steady_check", "waiting_check")
    }
    assert times["waiting_check"][0] >= times["steady_check"][1]
