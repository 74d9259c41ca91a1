"""No secret reaches a log line, its arguments or its traceback."""

import io
import logging
from pathlib import Path

import pytest

from infra.config.secrets import resolve
from infra.errors import DataError
from infra.logs import RedactionFilter

SECRET = "hunter2-hunter2"


@pytest.fixture
def lines(tmp_path: Path) -> tuple[logging.Logger, io.StringIO]:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    assert resolve(f"file:{file}") == SECRET
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactionFilter())
    logger = logging.Logger("test", logging.INFO)
    logger.addHandler(handler)
    return logger, stream


def test_message_arguments_and_traceback_are_redacted(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.info("token=%s", SECRET)
    logger.info("a " + SECRET + " in the middle")
    try:
        raise ValueError(f"refused {SECRET}")
    except ValueError:
        logger.exception("failed with %s", SECRET)
    text = stream.getvalue()
    assert SECRET not in text
    assert text.count("[redacted]") == 4
    assert "ValueError" in text


def test_an_explained_error_needs_no_traceback(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    try:
        raise DataError("labels.jsonl:3: unknown label", hint="nearest: impact")
    except DataError:
        logger.exception("task failed")
    assert "nearest: impact" in stream.getvalue()
    assert "Traceback" not in stream.getvalue()
