"""Evidence is kept for the inputs it was measured on, in a process that is offline and has one thread."""

import json
from pathlib import Path

import pytest

from infra.errors import IntegrityError
from tests.integration.validate.runner.conftest import Bench

COUNTED = """
from pathlib import Path
file = Path({file!r})
file.write_text(file.read_text() + "x" if file.exists() else "x")
return [evidence(candidate)]
"""


def counted(bench: Bench, name: str = "fake", **more: object) -> Path:
    file = bench.modules / f"{name}.count"
    bench.declare(COUNTED.format(file=str(file)), name, **more)  # type: ignore[arg-type]  # forwarded
    return file


def test_unchanged_it_runs_once(bench: Bench) -> None:
    file = counted(bench)
    first, second = bench.run(), bench.run()
    assert first == second
    assert first.evidence[0].metric == "attack_success"
    assert file.read_text() == "x"


def test_another_candidate_or_code_is_measured_anew(bench: Bench) -> None:
    file = counted(bench)
    bench.run()
    bench.candidate = bench.candidate.model_copy(update={"unit": "sha256:" + 64 * "a"})
    assert bench.run().evidence[0].inputs == {"candidate": bench.candidate.unit}
    assert file.read_text() == "xx"
    module = bench.modules / "fake.py"
    module.write_text(module.read_text() + "# changed\n")
    bench.run()
    assert file.read_text() == "xxx"


READS = """
from dataclasses import replace
from pathlib import Path
from infra.digest import digest_file
CHECK = replace(CHECK, reads=lambda workspace: {{"words": digest_file(Path({file!r}))}})
"""


def test_changed_files_that_it_reads_are_measured_anew(bench: Bench) -> None:
    file, words = counted(bench), bench.modules / "words.yaml"
    module = bench.modules / "fake.py"
    module.write_text(module.read_text() + READS.format(file=str(words)))
    words.write_text("a")
    bench.run()
    bench.run()
    assert file.read_text() == "x"
    words.write_text("b")
    bench.run()
    assert file.read_text() == "xx"
    words.unlink()
    assert "No such file" in bench.reason()


def test_what_depends_on_the_day_is_never_kept(bench: Bench) -> None:
    file = counted(bench, kept=False)
    bench.run()
    bench.run()
    assert file.read_text() == "xx"


def test_after_a_failure_it_runs_again(bench: Bench) -> None:
    flag = bench.modules / "mended"
    bench.declare(
        f"import pathlib; assert pathlib.Path({str(flag)!r}).exists()\nreturn [evidence(candidate)]"
    )
    assert "raised AssertionError" in bench.reason()
    flag.touch()
    assert bench.run().failure is None


def test_kept_evidence_that_was_altered_is_refused(bench: Bench) -> None:
    counted(bench)
    bench.run()
    (file,) = (bench.workspace.home / "steps" / "checks" / "fake").glob("*.json")
    content = json.loads(file.read_text())
    content["record"]["evidence"][0]["value"] = 0.0
    file.write_text(json.dumps(content))
    with pytest.raises(IntegrityError, match="was altered"):
        bench.run()


def test_optional_metrics_may_come_and_need_not(bench: Bench) -> None:
    body = "return [evidence(candidate), evidence(candidate, 'accuracy')]"
    bench.declare(body, "both", optional=("accuracy",))
    assert len(bench.run("both").evidence) == 2
    bench.declare("return [evidence(candidate)]", "one", optional=("accuracy",))
    assert len(bench.run("one").evidence) == 1
    bench.declare("return [evidence(candidate, 'accuracy')]", "other", optional=("accuracy",))
    assert bench.reason("other") == "did not measure what it promised: attack_success"


def test_surroundings(bench: Bench, tmp_path: Path) -> None:
    bench.declare(
        """
        import json, os, sys
        names = ("HF_HUB_OFFLINE", "OMP_NUM_THREADS", "PYTHONHASHSEED")
        print(json.dumps({
            "environment": [os.environ[name] for name in names],
            "heavy": sorted({"torch", "prefect", "mlflow", "pandas", "sqlalchemy"} & set(sys.modules)),
            "own group": os.getpgid(0) == os.getpid(),
            "stdin": sys.stdin.read(),
            "home": str(workspace.home),
        }))
        return [evidence(candidate)]
        """
    )
    assert bench.run().failure is None
    assert json.loads(bench.log()) == {
        "environment": ["1", "1", "0"],
        "heavy": [],
        "own group": True,
        "stdin": "",
        "home": str(tmp_path / "home"),
    }
    log = bench.workspace.home / "logs" / "checks" / "triage-fake.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert not list((bench.workspace.home / "work" / "checks").rglob("*.json"))


def test_the_log_tells_where_it_failed(bench: Bench) -> None:
    bench.declare("print('so far'); raise RuntimeError('here')")
    bench.run()
    assert bench.log().startswith("so far")
    assert "RuntimeError: here" in bench.log()
