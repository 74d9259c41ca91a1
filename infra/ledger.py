"""The truth about what happened to every release: append-only, hash-chained, one writer at a time.

ledger = Ledger("sqlite:////srv/assay/ledger.db")
ledger.append(Kind.CHAMPION, project="triage", subject=release_id, actor="ada", reason="gates pass")
ledger.state("triage").champion        # a fold over the entries
ledger.verify()                        # names the first row that does not fit the chain
"""

import contextlib
import getpass
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.digest import canonical_json, digest_json
from infra.errors import AssayError, IntegrityError, PromotionDenied, Unavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from infra.checkpoints import Checkpoints

GENESIS = "sha256:" + "0" * 64
_BUSY_S = 20
_APPEND_TRIES = 20
_POSTGRES_LOCK = 0x6C65646765720001  # "ledger", a number of ours among the database's advisory locks
log = logging.getLogger("assay.ledger")


class Kind(StrEnum):
    """What can happen to a release (or, before it has one, to a candidate's unit digest)."""

    CANDIDATE = "candidate"
    BLOCKED = "blocked"
    AWAITING_APPROVAL = "awaiting-approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CHAMPION = "champion"
    ROLLED_BACK = "rolled-back"
    QUARANTINED = "quarantined"
    NOTE = "note"


SUPERSEDED = "superseded"
"""State of a former champion; it has no entry of its own, so that no moment exists with two champions."""

_ALLOWED: dict[Kind, frozenset[str | None]] = {
    # A superseded release may come back, but only through the gates and an approval again.
    Kind.CANDIDATE: frozenset({None, "expired", "superseded"}),
    Kind.BLOCKED: frozenset({None, "blocked", "candidate"}),
    Kind.AWAITING_APPROVAL: frozenset({"candidate"}),
    Kind.APPROVED: frozenset({"awaiting-approval"}),
    Kind.REJECTED: frozenset({"awaiting-approval"}),
    # An approval can lapse: when it is too old, or what it was given under has changed since.
    Kind.EXPIRED: frozenset({"awaiting-approval", "approved"}),
    Kind.CHAMPION: frozenset({"approved"}),
    Kind.ROLLED_BACK: frozenset({"champion"}),
    Kind.QUARANTINED: frozenset({*(kind.value for kind in Kind if kind != Kind.NOTE), SUPERSEDED}),
}
_RESTORABLE = frozenset({SUPERSEDED, "rolled-back"})


@dataclass(frozen=True)
class Entry:
    """One row; `digest` covers every other field, `previous` is the digest of the row before."""

    seq: int
    time: str
    kind: Kind
    project: str
    subject: str
    actor: str
    reason: str
    details: dict[str, Any]
    previous: str
    digest: str

    def computed_digest(self) -> str:
        """The digest that this row ought to carry."""
        return digest_json(
            {
                "seq": self.seq,
                "time": self.time,
                "kind": str(self.kind),
                "project": self.project,
                "subject": self.subject,
                "actor": self.actor,
                "reason": self.reason,
                "details": self.details,
                "previous": self.previous,
            }
        )


@dataclass(frozen=True)
class ReleaseState:
    """Where one release stands, the entry that put it there, and the details of all its entries."""

    release: str
    state: str
    since: str
    seq: int
    actor: str
    reason: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProjectState:
    """The fold of all entries of one project."""

    project: str
    releases: dict[str, ReleaseState]
    champion: str | None = None
    previous: str | None = None
    head: int = 0

    def of(self, release: str) -> str | None:
        """The state of a release, or None if the ledger never heard of it."""
        known = self.releases.get(release)
        return known.state if known else None


def fold(project: str, entries: Iterable[Entry]) -> ProjectState:
    """Current state from history; raises PromotionDenied at an entry that the rules forbid."""
    state = ProjectState(project, {})
    for entry in entries:
        if entry.project == project:
            state = step(state, entry)
    return state


def step(state: ProjectState, entry: Entry) -> ProjectState:
    """The state after one more entry; raises PromotionDenied when the transition is not allowed."""
    if entry.kind == Kind.NOTE:
        return replace(state, head=entry.seq)
    current = state.of(entry.subject)
    if current not in _ALLOWED[entry.kind]:
        raise PromotionDenied(
            f"{entry.subject} cannot become {entry.kind}: it is {current or 'unknown'}",
            hint="allowed from: " + ", ".join(sorted(str(s or "unknown") for s in _ALLOWED[entry.kind])),
        )
    releases = dict(state.releases)

    def put(release: str, name: str) -> None:
        known = state.releases.get(release)
        own = (
            entry.details if release == entry.subject else {}
        )  # what is said about one is not about the other
        details = {**(known.details if known else {}), **own}
        releases[release] = ReleaseState(
            release, name, entry.time, entry.seq, entry.actor, entry.reason, details
        )

    put(entry.subject, entry.kind.value)
    champion, previous = state.champion, state.previous
    if entry.kind == Kind.CHAMPION:
        if champion is not None:
            put(champion, SUPERSEDED)
        champion, previous = entry.subject, champion
    elif entry.kind == Kind.ROLLED_BACK:
        restored = str(entry.details.get("restores", ""))
        if state.of(restored) not in _RESTORABLE:
            raise PromotionDenied(
                f"cannot roll back to {restored or 'nothing'}: it is {state.of(restored) or 'unknown'}",
                hint="only a release that was champion before, and is not quarantined, can be restored",
            )
        put(restored, Kind.CHAMPION.value)
        champion, previous = restored, entry.subject
    elif entry.kind == Kind.QUARANTINED:
        champion = None if champion == entry.subject else champion
        previous = None if previous == entry.subject else previous
    return replace(state, releases=releases, champion=champion, previous=previous, head=entry.seq)


class Ledger:
    """Hash-chained entries behind a SQLAlchemy URL (SQLite embedded, Postgres in production)."""

    def __init__(self, url: str, checkpoints: "Checkpoints | None" = None) -> None:
        self.url = url
        self._checkpoints = checkpoints
        self._engine: Engine | None = None

    def append(
        self,
        kind: Kind,
        *,
        project: str,
        subject: str,
        actor: str,
        reason: str,
        details: dict[str, Any] | None = None,
        expected_head: int | None = None,
        check: Callable[[list[Entry]], None] | None = None,
    ) -> Entry:
        """Append one entry if the rules allow it; returns it.

        `expected_head` is a compare-and-set: the `head` of the state that the caller decided on. `check` sees
        all entries after which this one would come and forbids it by what it raises; it is called again when
        another writer was faster. Raises PromotionDenied for a forbidden transition or when the project's
        history moved on, Unavailable when the database does not answer. Then nothing is written.
        """
        from sqlalchemy.exc import IntegrityError as Conflict

        if not reason.strip() or not actor.strip():
            raise PromotionDenied(
                "a ledger entry needs an actor and a reason", hint="say who decides, and why"
            )
        for _ in range(_APPEND_TRIES):
            intact = self._check_against_checkpoint(begin=True)
            try:
                with _database_errors(), self._connect().begin() as connection:
                    _wait_turn(connection)
                    entries = intact(self._read(connection))
                    entry = self._append(
                        connection,
                        entries,
                        kind,
                        project,
                        subject,
                        actor,
                        reason,
                        details or {},
                        expected_head,
                        check,
                    )
            except Conflict:
                continue  # another writer took this sequence number: read its entry and decide again
            self._advance([*entries, entry])
            return entry
        raise Unavailable("ledger is too busy to append to", hint="run again")

    def _advance(self, entries: list[Entry]) -> None:
        if self._checkpoints is None:
            return
        try:
            self._checkpoints.advance(entries)
        except AssayError as error:
            # The entry stands: whoever appended it must not believe otherwise. The next append signs it too.
            log.warning("ledger entry %d is not in a checkpoint yet: %s", entries[-1].seq, error.message)

    def _check_against_checkpoint(self, *, begin: bool = False) -> Callable[[list[Entry]], list[Entry]]:
        """Read the checkpoint now; the entries that are read next have to fit their chain and it.

        With `begin` an empty ledger is signed before its first entry: one that has entries and no checkpoint
        has lost it.
        """
        checkpoints = self._checkpoints
        before = checkpoints.newest() if checkpoints is not None else None
        if begin and checkpoints is not None and before is None and not self.entries():
            before = checkpoints.advance([])

        def intact(entries: list[Entry]) -> list[Entry]:
            check_chain(entries)
            if before is not None:
                before.check(entries)
            elif checkpoints is not None and entries and not self._shared and checkpoints.newest() is None:
                raise IntegrityError("the ledger has entries and no checkpoint", hint=_LOST)
            return entries

        return intact

    def _append(
        self,
        connection: "Connection",
        entries: list[Entry],
        kind: Kind,
        project: str,
        subject: str,
        actor: str,
        reason: str,
        details: dict[str, Any],
        expected_head: int | None,
        check: Callable[[list[Entry]], None] | None,
    ) -> Entry:
        from sqlalchemy import text

        state = fold(project, entries)
        if expected_head is not None and state.head != expected_head:
            raise PromotionDenied(
                f"the history of {project!r} moved on: expected entry {expected_head}, found {state.head}",
                hint="look at `assay release list` and decide again",
            )
        if check is not None:
            check(entries)
        last = entries[-1] if entries else None
        entry = Entry(
            seq=(last.seq if last else 0) + 1,
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            kind=kind,
            project=project,
            subject=subject,
            actor=actor,
            reason=reason,
            details=json.loads(canonical_json(details)),
            previous=last.digest if last else GENESIS,
            digest="",
        )
        entry = replace(entry, digest=entry.computed_digest())
        step(state, entry)
        connection.execute(
            text(
                "INSERT INTO ledger"
                " (seq, time, kind, project, subject, actor, reason, details, previous, digest) VALUES"
                " (:seq, :time, :kind, :project, :subject, :actor, :reason, :details, :previous, :digest)"
            ),
            {**entry.__dict__, "kind": str(kind), "details": canonical_json(entry.details).decode()},
        )
        return entry

    def entries(self) -> list[Entry]:
        """All entries in order; raises Unavailable when the database does not answer."""
        with _database_errors(), self._connect().connect() as connection:
            return self._read(connection)

    def state(self, project: str) -> ProjectState:
        """The verified fold for one project; raises IntegrityError when the chain is broken or was cut."""
        return fold(project, self.intact())

    def intact(self) -> list[Entry]:
        """All entries, their chain and checkpoint verified; raises IntegrityError, Unavailable."""
        intact = self._check_against_checkpoint()
        return intact(self.entries())

    def verify(self) -> int:
        """Check the whole chain; returns the number of entries, raises IntegrityError naming the row."""
        entries = self.intact()
        for project in {entry.project for entry in entries}:
            fold(project, entries)
        return len(entries)

    @property
    def _shared(self) -> bool:
        """Whether other homes write to the same database: each signs what it saw first."""
        return not self.url.startswith("sqlite")

    def _read(self, connection: "Connection") -> list[Entry]:
        from sqlalchemy import text

        rows = connection.execute(
            text(
                "SELECT seq, time, kind, project, subject, actor, reason, details, previous, digest"
                " FROM ledger ORDER BY seq"
            )
        )
        return [_entry(row._mapping) for row in rows]

    def _connect(self) -> "Engine":
        if self._engine is None:
            from sqlalchemy import create_engine, event, text

            if self.url.startswith("sqlite:///"):
                Path(self.url.removeprefix("sqlite:///")).parent.mkdir(
                    parents=True, exist_ok=True, mode=0o700
                )
            engine = create_engine(self.url)
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _durable)
                event.listen(engine, "begin", _lock_now)
            with engine.begin() as connection:
                _wait_turn(connection)  # two that create a table at once collide in the catalogue
                connection.execute(text(_SCHEMA))
            self._engine = engine
        return self._engine


_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
  seq BIGINT PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL, project TEXT NOT NULL,
  subject TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, details TEXT NOT NULL,
  previous TEXT NOT NULL UNIQUE, digest TEXT NOT NULL UNIQUE
)
"""


@contextlib.contextmanager
def _database_errors() -> Iterator[None]:
    """Unavailable for a database that does not answer, IntegrityError for one whose file is damaged."""
    from sqlalchemy.exc import DatabaseError, OperationalError

    try:
        yield
    except OperationalError as error:
        raise Unavailable(f"ledger does not answer: {error.orig}", hint="run again") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # its subclasses are other things: a conflict, a denied table
            raise
        raise IntegrityError(f"ledger is damaged: {error.orig}", hint=_ALTERED) from error


def _durable(connection: Any, _record: object) -> None:
    # pysqlite's own implicit transactions would defeat BEGIN IMMEDIATE below.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")  # first: all that follows may have to wait
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Switch a new database to write-ahead logging; the switch itself does not wait for other processes."""
    import sqlite3

    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _wait_turn(connection: "Connection") -> None:
    """One writer at a time on Postgres too, until the transaction ends; SQLite has its lock since BEGIN."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")


def _lock_now(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _entry(row: Any) -> Entry:
    try:
        return Entry(**{**row, "kind": Kind(row["kind"]), "details": json.loads(row["details"])})
    except (ValueError, TypeError, RecursionError) as error:
        raise IntegrityError(f"ledger row {row['seq']} was altered: {error}", hint=_ALTERED) from error


_LOST = (
    "restore audit/checkpoint.json from a backup; if it was lost for good,"
    " `assay audit checkpoint --reason …` says so and signs the ledger as it is"
)
_ALTERED = "restore ledger.db from a backup; nothing is promoted while the chain is broken"


def check_chain(entries: list[Entry]) -> None:
    """Raises IntegrityError naming the first row whose digest, link or number does not fit."""
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        if entry.seq != position:
            raise IntegrityError(f"ledger row {position} is missing: found row {entry.seq}", hint=_ALTERED)
        if entry.previous != previous:
            raise IntegrityError(
                f"ledger row {entry.seq} does not follow row {entry.seq - 1}:"
                f" got previous={entry.previous}, expected {previous}",
                hint=_ALTERED,
            )
        try:
            expected = entry.computed_digest()
        except IntegrityError as error:
            raise IntegrityError(
                f"ledger row {entry.seq} was altered: {error.message}", hint=_ALTERED
            ) from error
        if expected != entry.digest:
            raise IntegrityError(
                f"ledger row {entry.seq} ({entry.kind} {entry.subject}) was altered:"
                f" its digest is {entry.digest}, its content gives {expected}",
                hint=_ALTERED,
            )
        previous = entry.digest


def local_actor() -> str:
    """The operating-system user: how the embedded profile names people."""
    return getpass.getuser()


def head_digest(entries: list[Entry]) -> str:
    """Digest of the newest entry, which stands for the whole history."""
    return entries[-1].digest if entries else GENESIS
