"""Calls to Sigstore's services: with an end to waiting, and errors that say who failed and what to do.

with explained(): ...                     # Unavailable may heal by itself, IntegrityError does not
within(60, lambda: holder.sign_dsse(statement))

sigstore-python 4.5.1 waits for Fulcio and Rekor without a limit, and does not repeat why they refused.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from infra.errors import AssayError, IntegrityError, Unavailable

_UNAVAILABLE = "try again later; `assay sigstore dev` starts an instance of your own"
_MOST_REASON = 300
_TOO_MANY_REQUESTS = 429

Result = TypeVar("Result")


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """What `call` returns or raises; raises Unavailable when that takes longer, and leaves it behind."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits
            errors.append(error)

    # A daemon: a call that never ends must not keep the process from ending.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise Unavailable(f"Sigstore: no answer within {seconds:g} s", hint=_UNAVAILABLE)
    return results[0]


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn whatever sigstore-python raises into Unavailable or IntegrityError."""
    try:
        yield
    except AssayError:
        raise
    except Exception as error:
        raise _explanation(error) from error


def _explanation(error: Exception) -> AssayError:
    import requests
    from sigstore.errors import NetworkError, TUFError
    from sigstore.models import InvalidBundle

    cause = _cause(error, requests.RequestException)
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        status, reason = cause.response.status_code, _reason(cause.response.text)
        if status >= 500 or status == _TOO_MANY_REQUESTS:
            return Unavailable(f"Sigstore: {cause.response.url}: got {status}: {reason}", hint=_UNAVAILABLE)
        return IntegrityError(
            f"Sigstore refused to sign: {cause.response.url}: {reason}",
            hint="get a new identity token for this very instance: it lives for minutes",
        )
    if isinstance(cause, requests.ConnectionError | requests.Timeout) or isinstance(
        error, NetworkError | TUFError
    ):
        return Unavailable(f"Sigstore does not answer: {_first_line(cause or error)}", hint=_UNAVAILABLE)
    if isinstance(error, InvalidBundle):
        # What is missing is a timestamp or a proof: a service that was asked did not give it.
        return Unavailable(f"Sigstore: a service gave no complete answer: {error}", hint=_UNAVAILABLE)
    return IntegrityError(f"Sigstore: {type(error).__name__}: {_first_line(error)}")


def _cause(error: BaseException | None, kind: type[BaseException]) -> Any:
    """The first error of that kind behind `error`, which was raised in its place."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def _reason(text: str) -> str:
    try:
        message = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        message = "no reason given"
    return repr(str(message)[:_MOST_REASON])


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:_MOST_REASON]
