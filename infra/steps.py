"""How a function becomes a Prefect task: retried only for what may heal by itself, cached by us alone.

@step
def prepare_data(workspace: Workspace) -> DatasetVersion: ...
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

from infra.errors import RETRYABLE

P = ParamSpec("P")
R = TypeVar("R")


def step(function: Callable[P, R]) -> Callable[P, R]:
    """The function as a task: three tries for Unavailable, one for everything else."""
    # Prefect's own cache would key by arguments it cannot hash; ours keys by the digests of inputs and code.
    made: Callable[P, R] = task(
        name=getattr(function, "__name__", "step").replace("_", "-"),
        retries=2,
        retry_delay_seconds=[2, 8],
        retry_condition_fn=_may_heal,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(function)
    return made


def _may_heal(_task: Any, _run: Any, state: Any) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, RETRYABLE)
