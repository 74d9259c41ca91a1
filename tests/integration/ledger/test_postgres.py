"""The ledger on a real Postgres: several writers, one chain; a decision that lost the race is refused."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.checkpoints import Checkpoints
from infra.errors import IntegrityError, PromotionDenied, Unavailable
from infra.ledger import Kind, Ledger

RELEASE = "sha256:" + "a" * 64


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in reversed(places) if (place / "initdb").exists()), None)


BINARIES = _binaries()
pytestmark = [
    pytest.mark.skipif(BINARIES is None, reason="no Postgres server is installed"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a database of a server of its own; Postgres refuses to run as root."""
    assert BINARIES is not None
    root = Path("/tmp") / f"assay-pg-{os.getpid()}"
    root.mkdir(mode=0o755)
    as_owner: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(root, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    data = root / "data"
    initdb = [*as_owner, str(BINARIES / "initdb"), "-D", str(data), "-A", "trust", "-U", "assay", "-N"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    settings = ["-p", str(port), "-k", str(root), "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
    log = (root / "log").open("wb")
    postgres = subprocess.Popen(
        [*as_owner, str(BINARIES / "postgres"), "-D", str(data), *settings], stdout=log, stderr=log, cwd="/"
    )
    url = f"postgresql+psycopg://assay@127.0.0.1:{port}/postgres"
    deadline = time.monotonic() + 60
    while True:
        try:
            Ledger(url).entries()
            break
        except Unavailable:
            assert time.monotonic() < deadline, (root / "log").read_text()
            time.sleep(0.2)
    yield url
    stop = [*as_owner, str(BINARIES / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
    subprocess.run(stop, check=True, capture_output=True, cwd="/")
    postgres.wait(30)
    log.close()
    shutil.rmtree(root)


@pytest.fixture
def url(server: str) -> str:
    """The same database without any entry."""
    from sqlalchemy import create_engine, text

    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger"))
    engine.dispose()
    return server


_WRITER = """
import sys
from pathlib import Path
from infra.checkpoints import Checkpoints
from infra.ledger import Kind, Ledger
url, home, actor = sys.argv[1:]
ledger = Ledger(url, Checkpoints(Path(home)))
for number in range(25):
    ledger.append(Kind.NOTE, project="triage", subject="x", actor=actor, reason=str(number))
    ledger.state("triage")
"""


def start(url: str, home: Path, actor: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, url, str(home), actor]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_four_writers_from_two_homes_make_one_chain(url: str, tmp_path: Path) -> None:
    writers = [start(url, tmp_path / f"home-{at % 2}", f"writer-{at}") for at in range(4)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
        assert "not in a checkpoint" not in errors
    ledger = Ledger(url)
    assert ledger.verify() == 100
    by_actor = [entry.actor for entry in ledger.entries()]
    assert {actor: by_actor.count(actor) for actor in set(by_actor)} == {
        f"writer-{at}": 25 for at in range(4)
    }
    # Each home has signed what it wrote last; a cut shows to both.
    for at in range(2):
        assert Checkpoints(tmp_path / f"home-{at}").newest() is not None


def test_of_two_decisions_on_the_same_state_one_counts(url: str) -> None:
    ledger = Ledger(url)
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL):
        ledger.append(kind, project="triage", subject=RELEASE, actor="deploy", reason="asked")
    head = ledger.state("triage").head
    other = Ledger(url)
    ledger.append(
        Kind.REJECTED, project="triage", subject=RELEASE, actor="ada", reason="no", expected_head=head
    )
    with pytest.raises(PromotionDenied, match="moved on"):
        other.append(
            Kind.APPROVED, project="triage", subject=RELEASE, actor="bob", reason="yes", expected_head=head
        )
    assert ledger.state("triage").of(RELEASE) == "rejected"


def test_a_killed_writer_leaves_a_whole_chain(url: str, tmp_path: Path) -> None:
    for at in range(3):
        writer = start(url, tmp_path / "home", f"killed-{at}")
        ledger, before, deadline = Ledger(url), Ledger(url).verify(), time.monotonic() + 60
        while len(ledger.entries()) < before + 3:
            assert time.monotonic() < deadline
        writer.kill()
        writer.communicate()
        ledger.verify()
    Ledger(url, Checkpoints(tmp_path / "home")).append(
        Kind.NOTE, project="triage", subject="x", actor="ada", reason="goes on"
    )


def test_an_altered_row_and_a_cut_are_named(url: str, tmp_path: Path) -> None:
    from sqlalchemy import create_engine, text

    ledger = Ledger(url, Checkpoints(tmp_path))
    for number in range(3):
        ledger.append(Kind.NOTE, project="triage", subject="x", actor="ada", reason=f"note {number}")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ledger SET reason = 'other' WHERE seq = 2"))
    with pytest.raises(IntegrityError, match="row 2"):
        ledger.verify()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger WHERE seq >= 2"))
    engine.dispose()
    with pytest.raises(IntegrityError, match="ledger was cut: got 1 entries, 3 were signed"):
        ledger.state("triage")


def test_a_server_that_does_not_answer_may_answer_later() -> None:
    with pytest.raises(Unavailable, match="ledger does not answer"):
        Ledger("postgresql+psycopg://assay@127.0.0.1:1/postgres?connect_timeout=2").entries()
