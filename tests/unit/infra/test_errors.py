"""Errors survive pickling (Prefect pickles them), explain themselves, and map to exit codes."""

import pickle

import pytest

from infra.errors import (
    RETRYABLE,
    AssayError,
    ConfigError,
    DataError,
    Diverged,
    IntegrityError,
    OutOfMemory,
    PromotionDenied,
    TrainingError,
    Unavailable,
)

EXIT_CODES = {
    AssayError: 1,
    ConfigError: 2,
    DataError: 1,
    TrainingError: 1,
    Diverged: 1,
    OutOfMemory: 1,
    IntegrityError: 1,
    Unavailable: 1,
    PromotionDenied: 3,
}


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_pickling_keeps_class_message_and_hint(kind: type[AssayError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what happened", hint="what to do")))
    assert type(error) is kind
    assert (error.message, error.hint) == ("what happened", "what to do")
    assert error.exit_code == EXIT_CODES[kind]


def test_only_unavailable_may_be_retried() -> None:
    assert [kind for kind in EXIT_CODES if issubclass(kind, RETRYABLE)] == [Unavailable]


def test_diagnostics_add_the_hint_only_when_there_is_one() -> None:
    assert DataError("no rows").diagnostics() == "no rows"
    assert DataError("no rows", hint="add some").diagnostics() == "no rows\n  → add some"
