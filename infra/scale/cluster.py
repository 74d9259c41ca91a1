"""Mapping on Dask: a local cluster of worker processes, or a scheduler that runs somewhere.

with dask_mapper(ScaleSettings(engine="dask", workers=2)) as map_items: ...

Plain `distributed`, not a Prefect task runner: an item is a piece of one step, not a step. A task run for
each of a thousand chunks would cost an API call and an import of Prefect (2.3 CPU-s a worker) and would
retry what Dask already runs again. A cluster of a Prefect deployment is used by its address.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from infra.code import code_digest
from infra.config.scale import ScaleSettings
from infra.errors import IntegrityError, Unavailable
from infra.scale.mapping import Map, attempt
from infra.scale.pack import pack, unpack

T = TypeVar("T")
R = TypeVar("R")
_WAITING_PER_WORKER = 2
_CLOSE_TIMEOUT_S = 10.0


@contextmanager
def dask_mapper(settings: ScaleSettings) -> Iterator[Map]:
    """Maps on the configured cluster, which starts with the first call: a step that is done needs none.

    The map raises Unavailable when the cluster does not answer in time.
    """
    with ExitStack() as stack:
        opened: list[Any] = []

        def map_items(function: Callable[[T], R], items: Iterable[T], /) -> list[R]:
            if not opened:
                opened.append(stack.enter_context(_configured(settings)))
            return _ordered(opened[0], settings, function, items)

        yield map_items


@contextmanager
def _configured(settings: ScaleSettings) -> Iterator[Any]:
    import dask

    _distributed()  # its own defaults must be in place before `set`, which else takes them away at the end
    options = {
        "distributed.scheduler.allowed-failures": settings.worker_deaths - 1,
        # Chunks are rows, not references: their size is known and wanted.
        "distributed.admin.large-graph-warning-threshold": "4GiB",
        "distributed.comm.timeouts.connect": f"{settings.start_timeout_s}s",
    }
    with dask.config.set(options), _client(settings) as client:
        yield client


def _ordered(client: Any, settings: ScaleSettings, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    results: dict[int, R] = {}
    waiting: dict[Any, int] = {}
    limit = _WAITING_PER_WORKER * max(1, len(client.nthreads()))
    try:
        for number, item in enumerate(items):
            # Only so many items travel at once: a million rows need not fit into the scheduler.
            while len(waiting) >= limit:
                _take_finished(waiting, results, settings)
            future = client.submit(_run, pack((function, item)), settings.tries, pure=False)
            waiting[future] = number
        while waiting:
            _take_finished(waiting, results, settings)
    finally:
        client.cancel(list(waiting))
    return [results[number] for number in sorted(results)]


def _run(packed: bytes, tries: int) -> bytes:
    """One item, in a worker."""
    function, item = unpack(packed)
    return pack(attempt(function, item, tries))


def _take_finished(waiting: dict[Any, int], results: dict[int, R], settings: ScaleSettings) -> None:
    """Move at least one finished result over; raises its error, the earliest item's first."""
    from distributed.scheduler import KilledWorker

    done, _ = _distributed().wait(list(waiting), return_when="FIRST_COMPLETED")
    for future in sorted(done, key=waiting.__getitem__):
        try:
            results[waiting.pop(future)] = unpack(future.result())
        except KilledWorker as error:
            raise Unavailable(
                f"an item was given up: {settings.worker_deaths} workers died over it",
                hint="too little memory? make chunks smaller, or raise scale.worker_deaths",
            ) from error


@contextmanager
def _client(settings: ScaleSettings) -> Iterator[Any]:
    if settings.address is not None:
        try:
            client = _distributed().Client(
                settings.address, security=_security(settings), timeout=settings.start_timeout_s
            )
        except (OSError, TimeoutError) as error:
            raise Unavailable(
                f"scheduler {settings.address} does not answer: {error}",
                hint="start it, or clear scale.address",
            ) from error
        with client:
            _check_workers(client, settings)
            yield client
        return
    with _local_cluster(settings) as cluster, _distributed().Client(cluster) as client:
        yield client


def _check_workers(client: Any, settings: ScaleSettings) -> None:
    """Somewhere else is other code possible: its results would not be ours."""
    try:
        client.wait_for_workers(1, timeout=settings.start_timeout_s)
    except TimeoutError as error:
        raise Unavailable(f"scheduler {settings.address} has no workers", hint="start some") from error
    ours = _our_code()
    for worker, theirs in sorted(client.run(_our_code).items()):
        if theirs != ours:
            raise IntegrityError(
                f"worker {worker} runs code {theirs}, expected {ours}", hint="install the same version there"
            )


def _our_code() -> str:
    return code_digest("infra", "tasks")


@contextmanager
def _local_cluster(settings: ScaleSettings) -> Iterator[Any]:
    """Worker processes of this machine behind TLS: nobody else on it can hand them code to run."""
    with tempfile.TemporaryDirectory(prefix="assay-dask-") as directory:
        try:
            cluster = _distributed().LocalCluster(
                n_workers=settings.workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                protocol="tls://",
                security=_distributed().Security.temporary(),
                dashboard_address=None,
                local_directory=directory,
                memory_limit=0,
                silence_logs="CRITICAL",
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise Unavailable(f"a local cluster did not start: {error}", hint="run again") from error
        try:
            yield cluster
        finally:
            cluster.close(timeout=_CLOSE_TIMEOUT_S)


def _security(settings: ScaleSettings) -> Any:
    if settings.tls_ca is None:
        return None
    return _distributed().Security(
        tls_ca_file=str(settings.tls_ca),
        tls_client_cert=str(settings.tls_certificate),
        tls_client_key=str(settings.tls_key),
        require_encryption=True,
    )


def _distributed() -> Any:
    """The package; its functions have no types."""
    import distributed

    return distributed
