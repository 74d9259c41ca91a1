"""Signed checkpoints of the ledger: how long it was and how it ended, so that a tail cut off shows.

checkpoints = Checkpoints(home)
before = checkpoints.newest()              # read before the ledger is: entries only grow
before.check(entries)                      # IntegrityError when the ledger is shorter, or another one
checkpoints.advance(entries)               # after an append; size 0 before the first

A hash chain proves that nothing within it was altered; one that was cut is still a chain. The checkpoint is a
DSSE statement by the installation's key in a file of its own: who cuts the ledger has to forge that as well.
Whoever holds the key, or both files, can put an older pair in their place; a copy elsewhere shows that
(`assay audit export`).
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra import atomic
from infra.digest import hex_of
from infra.errors import IntegrityError
from infra.signing.dsse import sign_statement, statement, subjects_of, verify_statement
from infra.signing.keys import ensure_key, load_private_key
from infra.signing.rotation import own_keys

if TYPE_CHECKING:
    from infra.ledger import Entry

PREDICATE_TYPE = "urn:assay:ledger-checkpoint:v1"
NAME = "checkpoint.json"
NOTHING = "sha256:" + "0" * 64
"""Head of a ledger without entries."""
_SUBJECT = "ledger"
_MOST_BYTES = 64 << 10
_CUT = (
    "restore ledger.db from a backup that is at least that long; if entries were lost for good, "
    "`assay audit checkpoint --reason …` says so and starts anew"
)
_REFUSED = (
    "restore audit/checkpoint.json, and keys/ as they were then, from a backup; if it was lost for good, "
    "`assay audit checkpoint --reason …` says so and signs the ledger as it is"
)


@dataclass(frozen=True)
class Checkpoint:
    """The ledger had at least `size` entries, and entry number `size` had the digest `head`.

    Size 0 is of a ledger before its first entry: without it, one cut to nothing would look like a new one.
    """

    size: int
    head: str
    time: str

    @classmethod
    def of(cls, entries: "Sequence[Entry]") -> "Checkpoint":
        """The checkpoint of a whole ledger."""
        size, head = (entries[-1].seq, entries[-1].digest) if entries else (0, NOTHING)
        return cls(size, head, datetime.now(UTC).isoformat(timespec="milliseconds"))

    def check(self, entries: "Sequence[Entry]") -> None:
        """Raises IntegrityError when the ledger is not the one that was signed, or its tail was cut off.

        It must have been read before `entries`: between the two the ledger may grow, never shrink.
        """
        if len(entries) < self.size:
            raise IntegrityError(
                f"ledger was cut: got {len(entries)} entries, {self.size} were signed at {self.time}",
                hint=_CUT,
            )
        found = entries[self.size - 1] if self.size else None
        if found is not None and found.digest != self.head:
            raise IntegrityError(
                f"ledger is another one: row {found.seq} is {found.digest}, signed is {self.head}",
                hint=_CUT,
            )


@dataclass(frozen=True)
class Checkpoints:
    """The newest checkpoint of the ledger below a home; older ones follow from the chain."""

    home: Path
    passphrase: str = ""
    """Secret reference of the installation's key."""

    @property
    def file(self) -> Path:
        """Where it lies."""
        return self.home / "audit" / NAME

    def newest(self) -> Checkpoint | None:
        """The checkpoint, None before the first; raises IntegrityError when it cannot be trusted."""
        try:
            with self.file.open("rb") as stream:
                data = stream.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise IntegrityError(f"audit/{NAME}: cannot be read: {error.strerror}") from error
        try:
            return parse_checkpoint(data, self.home / "keys" / "signing.pub")
        except IntegrityError as error:
            raise IntegrityError(error.message, hint=_REFUSED) from error

    def advance(self, entries: "Sequence[Entry]") -> Checkpoint:
        """Sign how long the ledger is now, unless a longer one is signed already; returns the newest.

        Raises IntegrityError when the present one does not fit these entries or the key cannot be used,
        Unavailable when the disk refuses.
        """
        made = Checkpoint.of(entries)
        with self._alone():
            present = self.newest()
            if present is not None and present.size >= made.size:
                return present
            if present is not None:
                present.check(entries)
            self._write(made)
        return made

    def restart(self, entries: "Sequence[Entry]") -> Checkpoint:
        """Sign the ledger as it is, whatever was signed before: for a person who has looked at the loss."""
        made = Checkpoint.of(entries)
        with self._alone():
            self._write(made)
        return made

    def _write(self, made: Checkpoint) -> None:
        content = statement(
            {_SUBJECT: made.head}, PREDICATE_TYPE, {"size": made.size, "head": made.head, "time": made.time}
        )
        key = load_private_key(ensure_key(self.home, self.passphrase).private, self.passphrase)
        atomic.write_bytes(self.file, sign_statement(content, key))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def parse_checkpoint(data: bytes, public_key: Path) -> Checkpoint:
    """A checkpoint signed by this key or one that it replaced; raises IntegrityError for anything else."""
    name = f"audit/{NAME}"
    if len(data) > _MOST_BYTES:
        raise IntegrityError(f"{name}: more than {_MOST_BYTES} bytes")
    content = verify_statement(data, own_keys(public_key), name)
    if content.get("predicateType") != PREDICATE_TYPE:
        raise IntegrityError(f"{name}: signs a {content.get('predicateType')!r}, not a checkpoint")
    predicate = content.get("predicate")
    if not isinstance(predicate, dict) or set(predicate) != {"size", "head", "time"}:
        raise IntegrityError(f"{name}: malformed predicate")
    size, head, time = predicate["size"], predicate["head"], predicate["time"]
    if type(size) is not int or size < 0 or not isinstance(head, str) or not isinstance(time, str):
        raise IntegrityError(f"{name}: malformed predicate")
    hex_of(head)
    if subjects_of(content, name) != {_SUBJECT: head}:
        raise IntegrityError(f"{name}: its subject is not the head that it names")
    return Checkpoint(size, head, time)
