"""Whatever a check does but measure what it promised becomes a failure with a reason: never evidence."""

import time

import pytest

from tests.integration.validate.runner.conftest import Bench

RAISES = {
    "an error": ("raise RuntimeError('no scanner')", "raised RuntimeError: no scanner"),
    "an exit that looks well": ("raise SystemExit(0)", "raised SystemExit: 0"),
    "an interrupt": ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
    "a panic of compiled code": (
        "raise type('PanicException', (BaseException,), {})('index out of bounds')",
        "raised PanicException: index out of bounds",
    ),
    "an exit without evidence": ("import os; os._exit(0)", "it wrote no evidence"),
    "an exit with a code": ("import os; os._exit(7)", "ended with exit code 7"),
    "a crash": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
    "a kill": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
    "nothing": ("return []", "did not measure what it promised: attack_success"),
    "none": ("return None", "raised TypeError"),
    "something else": ("return ['attack_success']", "raised TypeError: brought str, expected Evidence"),
    "NaN": ("return [evidence(candidate, value=float('nan'))]", "raised ValidationError"),
    "NaN around the record": (
        "return [evidence(candidate).model_copy(update={'value': float('nan')})]",
        "attack_success: value is nan",
    ),
    "an infinite bound": (
        "return [evidence(candidate, upper=float('inf'))]",
        "raised ValidationError: Evidence: upper: Input should be a finite number",
    ),
    "an infinite bound around the record": (
        "return [evidence(candidate).model_copy(update={'upper': float('inf')})]",
        "attack_success: upper is inf",
    ),
    "NaN in a slice around the record": (
        """
        from tasks.records import Slice
        part = Slice(value=0, lower=0, upper=1, n=3).model_copy(update={'value': float('nan')})
        return [evidence(candidate).model_copy(update={'slices': {'a': part}})]
        """,
        "attack_success: slices.a.value is nan",
    ),
    "a negative n": (
        "return [evidence(candidate).model_copy(update={'n': -1})]",
        "attack_success: n: Input should be greater than or equal to 0",
    ),
    "a metric that was not promised": (
        "return [evidence(candidate), evidence(candidate, 'accuracy')]",
        "brought what it did not promise: accuracy",
    ),
    "one metric twice": (
        "return [evidence(candidate), evidence(candidate)]",
        "measured more than once: attack_success",
    ),
    "evidence about another": (
        "return [evidence(candidate, inputs={'candidate': 'sha256:' + 64 * '0'})]",
        "attack_success is about candidate sha256:0000",
    ),
    "evidence about nothing": (
        "return [evidence(candidate, inputs={})]",
        "attack_success is about candidate None",
    ),
}


@pytest.mark.parametrize(("body", "expected"), RAISES.values(), ids=RAISES)
def test_it_becomes_a_failure_and_is_not_kept(bench: Bench, body: str, expected: str) -> None:
    bench.declare(body)
    assert expected in bench.reason()
    assert not list((bench.workspace.home / "steps").rglob("*.json"))


def test_a_check_that_hangs_is_killed_with_everything_it_started(bench: Bench) -> None:
    bench.declare(
        """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        apart = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
        )
        print(child.pid, apart.pid)
        time.sleep(600)
        """,
        deadline_s=4,
    )
    started = time.monotonic()
    assert bench.reason() == "did not end within 4 s"
    assert time.monotonic() - started < 60
    pids = [int(pid) for pid in bench.log().split()]
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def test_a_check_that_holds_the_interpreter_is_killed(bench: Bench) -> None:
    # Compiled code that never comes back: no signal handler, thread or exception of Python's helps.
    bench.declare("import re; re.match(r'(a+)+$', 40 * 'a' + 'b')", deadline_s=3)
    assert bench.reason() == "did not end within 3 s"


def test_what_outlives_a_check_that_ended_well_is_killed(bench: Bench) -> None:
    bench.declare(
        """
        import subprocess, sys
        print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid)
        return [evidence(candidate)]
        """
    )
    assert bench.run().failure is None
    assert not alive(int(bench.log()))


def test_evidence_that_is_forged_from_inside_is_refused(bench: Bench) -> None:
    bench.declare(
        """
        import os, sys
        from pathlib import Path
        folder = Path(sys.argv[1]).parent
        (folder / "answer").write_text("sha256:" + 64 * "0" + "\\n{}")
        os._exit(0)
        """
    )
    assert "cut off or altered" in bench.reason()


def test_an_answer_without_this_job_s_token_is_refused(bench: Bench) -> None:
    bench.declare(
        """
        import os, sys
        from pathlib import Path
        from infra.digest import digest_bytes
        body = b'{"token": "of another job", "evidence": []}'
        (Path(sys.argv[1]).parent / "answer").write_bytes(digest_bytes(body).encode() + b"\\n" + body)
        os._exit(0)
        """
    )
    assert "answers another job" in bench.reason()


def test_evidence_after_which_the_process_fails_is_refused(bench: Bench) -> None:
    bench.declare("import atexit, os; atexit.register(os._exit, 3); return [evidence(candidate)]")
    assert bench.reason() == "ended with exit code 3"


def test_a_module_that_cannot_be_imported_is_a_failure(bench: Bench) -> None:
    assert "No module named 'absent'" in bench.reason("absent")
    (bench.modules / "leaving.py").write_text("raise SystemExit(0)")
    assert "cannot be imported: SystemExit: 0" in bench.reason("leaving")
    (bench.modules / "other.py").write_text("CHECK = 1")
    assert "expected the check 'other'" in bench.reason("other")


def test_settings_that_change_meanwhile_are_a_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.declare("return [evidence(candidate)]")
    monkeypatch.setenv("ASSAY_TRAINING__SEED", "7")  # the workspace was opened before
    assert "the settings were changed while" in bench.reason()


def test_no_secret_and_no_personal_data_in_a_reason(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_URL", "hooks.example/s3cr3t-path")
    bench.declare(
        """
        from infra.config.secrets import resolve
        raise RuntimeError(
            f"{resolve('env:PAGER_URL')} refused AKIAIOSFODNN7EXAMPLE of ada@example.org"
            + "\\n\\x1b[31mred" + 900 * "x"
        )
        """
    )
    reason = bench.reason()
    assert "[redacted]" in reason
    for leaked in ("s3cr3t", "AKIAIOSFODNN7EXAMPLE", "ada@example.org", "\x1b"):
        assert leaked not in reason
    assert len(reason) <= 300


def alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
