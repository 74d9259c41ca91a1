"""Route snapshots are whole, well-formed and only grow."""

from pathlib import Path

import pytest

from infra.errors import IntegrityError
from infra.gateway.routes import EMPTY, RouteSnapshot, read_snapshot, write_snapshot

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "routes.json"


def test_round_trip(path: Path) -> None:
    assert read_snapshot(path) == EMPTY
    snapshot = RouteSnapshot(1, {"triage": ONE}, (TWO,), (ONE, TWO))
    write_snapshot(path, snapshot)
    assert read_snapshot(path) == snapshot


@pytest.mark.parametrize("generation", [3, 2, 0, -1])
def test_generation_must_grow(path: Path, generation: int) -> None:
    write_snapshot(path, RouteSnapshot(3, {"triage": ONE}, (), (ONE,)))
    with pytest.raises(IntegrityError, match="generation"):
        write_snapshot(path, RouteSnapshot(generation, {"triage": TWO}, (), (TWO,)))
    assert read_snapshot(path).models == {"triage": ONE}


@pytest.mark.parametrize(
    "snapshot",
    [
        RouteSnapshot(1, {"triage": ONE}, (), ()),
        RouteSnapshot(1, {}, (ONE,), ()),
        RouteSnapshot(1, {"Bad Name": ONE}, (), (ONE,)),
        RouteSnapshot(1, {"triage": "latest"}, (), ("latest",)),
        RouteSnapshot(1, {"triage": "sha256:../x"}, (), ("sha256:../x",)),
    ],
)
def test_malformed_snapshot_is_not_written(path: Path, snapshot: RouteSnapshot) -> None:
    with pytest.raises(IntegrityError):
        write_snapshot(path, snapshot)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"generation":1}',
        b'{"generation":"1","models":{},"staged":[],"resident":[]}',
        b'{"generation":1,"models":{},"staged":[],"resident":[],"more":1}',
        b'{"generation":1,"models":[],"staged":[],"resident":[]}',
        b'{"generation":0,"models":{},"staged":[],"resident":[]}',
    ],
)
def test_malformed_file_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"routes\.json"):
        read_snapshot(path)
    with pytest.raises(IntegrityError, match=r"routes\.json"):
        write_snapshot(path, RouteSnapshot(9, {}))
