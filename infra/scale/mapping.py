"""One verb for scale-out: apply a pure function to items, results in order.

with mapper(settings) as map_items:
    sizes = map_items(len, ["a", "bb"])         # [1, 2]

A function that is mapped must be importable or picklable and idempotent: when a worker dies, its item
runs again elsewhere. What an item needs from the store it names by digest and reads verified, in the worker.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from infra.config.scale import ScaleSettings
from infra.errors import RETRYABLE

T = TypeVar("T")
R = TypeVar("R")
_PAUSE_S = 0.5


class Map(Protocol):
    """`map` that gives a list, in order, wherever the work is done."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        """Results in the order of the items; raises what the function raised first."""


@contextmanager
def mapper(settings: ScaleSettings) -> Iterator[Map]:
    """How to map, as configured; a cluster started for it ends with the block.

    Raises Unavailable when a cluster does not answer, or when an item has killed too many workers.
    """
    if settings.engine == "process":
        yield in_process(settings.tries)
    else:
        from infra.scale.cluster import dask_mapper

        with dask_mapper(settings) as mapped:
            yield mapped


def in_process(tries: int = 1) -> Map:
    """One item after the other, here; an error that may heal is tried again."""

    def map_items(function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
        return [attempt(function, item, tries) for item in items]

    return map_items


def attempt(function: Callable[[T], R], item: T, tries: int) -> R:
    """The result for one item; tries again, with a growing pause, only what may heal by itself."""
    for number in range(1, tries):
        try:
            return function(item)
        except RETRYABLE:
            time.sleep(_PAUSE_S * number)
    return function(item)
