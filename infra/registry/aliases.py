"""Aliases as a projection: written where they differ, read back, written again.

keep(lambda: differing(read(), wanted), write)      # raises Unavailable when they do not come to agree

MLflow's aliases have no compare-and-set and no history, so nothing here decides anything.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from infra.errors import Unavailable
from infra.tracking.client import http_status

_TRIES = 3


def differing(found: Mapping[str, str], wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """Aliases that do not say what they should, with what they say (None: absent)."""
    return {alias: found.get(alias) for alias in wanted if found.get(alias) != wanted[alias]}


def keep(
    check: Callable[[], Mapping[str, str | None]], write: Callable[[Mapping[str, str | None]], None]
) -> None:
    """Write what differs and read it back, a few times; raises Unavailable."""
    for _ in range(_TRIES):
        found = check()
        if not found:
            return
        write(found)
    if found := check():
        raise Unavailable(
            f"registry does not keep its aliases: {', '.join(sorted(found))}",
            hint="`assay doctor --repair` writes them again; the ledger is the truth",
        )


@contextlib.contextmanager
def collisions_ignored() -> Iterator[None]:
    """Two first writers of one alias collide in the database; the caller reads back and tries again."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if http_status(error) != 400:
            raise
