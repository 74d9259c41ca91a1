"""A ledger that was cut, replaced or lost its checkpoint is found out; growth between two reads is not."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.checkpoints import NAME, PREDICATE_TYPE, Checkpoint, Checkpoints
from infra.digest import digest_bytes
from infra.errors import IntegrityError, PromotionDenied
from infra.ledger import Kind, Ledger
from infra.signing.dsse import sign_statement, statement
from infra.signing.keys import create_key, ensure_key, load_private_key

RELEASE = digest_bytes(b"release")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def open_ledger(home: Path) -> Ledger:
    return Ledger(f"sqlite:///{home / 'ledger.db'}", Checkpoints(home))


def filled(home: Path, entries: int = 3) -> Ledger:
    ledger = open_ledger(home)
    for number in range(entries):
        note(ledger, number)
    return ledger


def note(ledger: Ledger, number: int = 0) -> None:
    ledger.append(Kind.NOTE, project="triage", subject="x", actor="ada", reason=f"note {number}")


def cut(home: Path, keep: int) -> None:
    with sqlite3.connect(home / "ledger.db") as connection:
        connection.execute("DELETE FROM ledger WHERE seq > ?", (keep,))


def forge(home: Path, predicate: dict[str, Any], kind: str = PREDICATE_TYPE, subject: str = "") -> None:
    content = statement({"ledger": subject or predicate.get("head", RELEASE)}, kind, predicate)
    key = load_private_key(ensure_key(home).private)
    (home / "audit" / NAME).write_bytes(sign_statement(content, key))


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_a_tail_that_was_cut_off_is_found_out(home: Path, keep: int) -> None:
    filled(home)
    cut(home, keep)
    ledger = open_ledger(home)
    message = f"ledger was cut: got {keep} entries, 3 were signed"
    with pytest.raises(IntegrityError, match=message):
        ledger.state("triage")
    with pytest.raises(IntegrityError, match=message):
        ledger.verify()
    with pytest.raises(IntegrityError, match=message):
        note(ledger)
    assert len(ledger.entries()) == keep


def test_another_ledger_of_the_same_length_is_found_out(home: Path, tmp_path: Path) -> None:
    filled(home)
    other = filled(tmp_path / "other")
    other.entries()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (home / name).unlink(missing_ok=True)
    source, target = tmp_path / "other" / "ledger.db", home / "ledger.db"
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    with pytest.raises(IntegrityError, match="ledger is another one: row 3"):
        open_ledger(home).state("triage")


def test_a_checkpoint_that_is_gone_is_no_new_start(home: Path) -> None:
    ledger = filled(home)
    (home / "audit" / NAME).unlink()
    with pytest.raises(IntegrityError, match="entries and no checkpoint"):
        ledger.state("triage")
    with pytest.raises(IntegrityError, match="entries and no checkpoint"):
        note(ledger)
    made = Checkpoints(home).restart(ledger.entries())
    assert made.size == 3
    note(ledger)
    assert Checkpoints(home).newest().size == 4  # type: ignore[union-attr]


def test_a_ledger_without_entries_is_signed_before_its_first_one(home: Path) -> None:
    ledger = open_ledger(home)
    assert ledger.state("triage").head == 0
    with pytest.raises(PromotionDenied):
        ledger.append(Kind.CHAMPION, project="triage", subject=RELEASE, actor="ada", reason="no")
    assert Checkpoints(home).newest().size == 0  # type: ignore[union-attr]


def test_a_kill_before_the_checkpoint_only_leaves_it_behind(home: Path) -> None:
    filled(home, 2)
    note(Ledger(f"sqlite:///{home / 'ledger.db'}"), 3)  # what a kill after the commit leaves
    ledger = open_ledger(home)
    assert ledger.verify() == 3
    assert Checkpoints(home).newest().size == 2  # type: ignore[union-attr]
    note(ledger, 4)
    assert Checkpoints(home).newest().size == 4  # type: ignore[union-attr]


def test_a_checkpoint_never_goes_back(home: Path) -> None:
    entries = filled(home).entries()
    checkpoints = Checkpoints(home)
    assert checkpoints.advance(entries[:1]).size == 3
    assert checkpoints.newest().size == 3  # type: ignore[union-attr]


def test_an_entry_stands_when_its_checkpoint_cannot_be_written(
    home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = filled(home, 1)
    private = home / "keys" / "signing.pem"
    private.chmod(0o644)  # a key that is open to others is not used
    note(ledger, 2)
    assert len(ledger.entries()) == 2
    assert "ledger entry 2 is not in a checkpoint yet" in caplog.text
    private.chmod(0o600)
    assert ledger.verify() == 2


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ({"size": -1, "head": RELEASE, "time": "t"}, "malformed predicate"),
        ({"size": True, "head": RELEASE, "time": "t"}, "malformed predicate"),
        ({"size": "3", "head": RELEASE, "time": "t"}, "malformed predicate"),
        ({"size": 3, "head": RELEASE}, "malformed predicate"),
        ({"size": 3, "head": RELEASE, "time": "t", "more": 1}, "malformed predicate"),
        ({"size": 3, "head": "sha256:zz", "time": "t"}, "not a digest"),
    ],
)
def test_a_signed_checkpoint_that_is_none(home: Path, predicate: dict[str, Any], message: str) -> None:
    filled(home)
    forge(home, predicate, subject=RELEASE)
    with pytest.raises(IntegrityError, match=message):
        open_ledger(home).state("triage")


def test_other_statements_and_other_signers_are_no_checkpoint(home: Path, tmp_path: Path) -> None:
    ledger = filled(home)
    file = home / "audit" / NAME
    good = file.read_bytes()
    forge(home, {"size": 1, "head": RELEASE, "time": "t"}, kind="urn:assay:release:v1")
    with pytest.raises(IntegrityError, match="not a checkpoint"):
        ledger.state("triage")
    forge(home, {"size": 1, "head": RELEASE, "time": "t"}, subject=digest_bytes(b"else"))
    with pytest.raises(IntegrityError, match="its subject is not the head"):
        ledger.state("triage")
    stranger = load_private_key(create_key(tmp_path / "stranger").private)
    content = statement({"ledger": RELEASE}, PREDICATE_TYPE, {"size": 0, "head": RELEASE, "time": "t"})
    file.write_bytes(sign_statement(content, stranger))
    with pytest.raises(IntegrityError, match="not trusted"):
        ledger.state("triage")
    for broken in (b"", b"{}", good[:-20], b"[" * 70_000, json.dumps({"a": 1}).encode()):
        file.write_bytes(broken)
        with pytest.raises(IntegrityError):
            ledger.state("triage")
    file.write_bytes(good)
    assert ledger.verify() == 3


def test_the_checkpoint_is_read_before_the_entries_are(home: Path) -> None:
    entries = filled(home).entries()
    Checkpoint.of(entries[:2]).check(entries)
    with pytest.raises(IntegrityError, match="was cut"):
        Checkpoint.of(entries).check(entries[:2])


_WRITER = """
import sys
from pathlib import Path
from infra.checkpoints import Checkpoints
from infra.ledger import Kind, Ledger
home = Path(sys.argv[1])
ledger = Ledger(f"sqlite:///{home / 'ledger.db'}", Checkpoints(home))
for number in range(20):
    ledger.append(Kind.NOTE, project="triage", subject="x", actor=sys.argv[2], reason=str(number))
    ledger.state("triage")
"""


def test_two_writers_at_once_raise_no_false_alarm(home: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(home), name], stderr=subprocess.PIPE, text=True)
        for name in ("ada", "bob")
    ]
    reader = open_ledger(home)
    while any(writer.poll() is None for writer in writers):
        reader.state("triage")
    for writer in writers:
        assert writer.wait() == 0, writer.stderr.read() if writer.stderr else ""
    assert reader.verify() == 40
    assert Checkpoints(home).newest().size == 40  # type: ignore[union-attr]
