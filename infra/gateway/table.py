"""The routes in force: watches the snapshot file, checks what it names, swaps one reference.

Requests that have begun finish on the routes that they began with.
"""

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

from infra.errors import AssayError, IntegrityError, Unavailable
from infra.gateway.routes import read_snapshot
from infra.gateway.trust import Refusal, Route, Routes, Trust, evaluate

_POLL_S = 0.1
_RETRY_S = 1.0
_LEDGER_S = 5.0
log = logging.getLogger("assay.gateway")


class RouteTable:
    """The present routes; `ready` once a first snapshot (or its absence) has been judged."""

    def __init__(self, file: Path, trust: Trust) -> None:
        self.file = file
        self.trust = trust
        self.routes = Routes()
        self.ready = False
        self.problem = "routes were not read yet"
        """Why the newest snapshot is not in force, or empty."""
        self._stamp: object = None
        self._checked = 0.0

    async def watch(self) -> None:
        """Refresh until cancelled; a refresh runs in a thread, because it reads files and the ledger."""
        while True:
            await asyncio.to_thread(self.refresh)
            await asyncio.sleep(_POLL_S)

    def refresh(self) -> None:
        """One look at the file and, now and then, at the ledger; never raises: the last good routes stay."""
        stamp = _stamp(self.file)
        try:
            if stamp == self._stamp:
                self._check_again()
                return
            self._load()
            self._report("")
        except Unavailable as error:
            self._report(error.message)
            return  # tried again at the next poll
        except AssayError as error:
            self._report(error.message)
        except Exception as error:
            log.exception("routes cannot be refreshed")
            self.problem = f"{type(error).__name__}: {error}"
        self._stamp = stamp

    def _load(self) -> None:
        snapshot = read_snapshot(self.file, self.trust.home / "keys" / "signing.pub")
        present = self.routes.snapshot
        if snapshot == present:
            self.ready = True
            return
        if snapshot.generation <= present.generation:
            raise IntegrityError(
                f"{self.file.name}: got generation {snapshot.generation}, in force is {present.generation}"
            )
        self._swap(evaluate(snapshot, self.trust))

    def _check_again(self) -> None:
        now = time.monotonic()
        if self.routes.refusals and now - self._checked > _RETRY_S:
            self._swap(evaluate(self.routes.snapshot, self.trust))
        elif now - self._checked > _LEDGER_S:
            self._checked = now
            self._drop_banned()

    def _drop_banned(self) -> None:
        reasons = {
            route.release: reason
            for route in self.routes.staged.values()
            if isinstance(route, Route) and (reason := self.trust.banned(route))
        }
        if reasons:
            self._swap(
                replace(
                    self.routes,
                    live={name: _ban(each, reasons) for name, each in self.routes.live.items()},
                    staged={name: _ban(each, reasons) for name, each in self.routes.staged.items()},
                )
            )

    def _swap(self, routes: Routes) -> None:
        before, self.routes = self.routes, routes
        self._checked = time.monotonic()
        self.ready = True
        if routes.snapshot.generation != before.snapshot.generation:
            log.info("generation %d in force: %s", routes.snapshot.generation, dict(routes.snapshot.models))
        for name, reason in routes.refusals.items():
            if before.refusals.get(name) != reason:
                log.error("%s is not served: %s", name, reason)

    def _report(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.error("%s; routes of generation %d stay", problem, self.routes.snapshot.generation)
        self.problem = problem


def _ban(each: Route | Refusal, reasons: dict[str, str]) -> Route | Refusal:
    reason = reasons.get(each.release)
    return each if reason is None else Refusal(each.release, reason)


def _stamp(path: Path) -> object:
    try:
        status = path.stat()
    except OSError as error:
        return f"{error.strerror}"
    return (status.st_mtime_ns, status.st_ino, status.st_size)
