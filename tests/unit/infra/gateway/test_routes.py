"""Route snapshots are signed, whole, well-formed and only grow."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_json
from infra.errors import IntegrityError
from infra.gateway.routes import EMPTY, PREDICATE_TYPE, RouteSnapshot, read_snapshot, write_snapshot
from infra.signing.dsse import sign_statement, statement
from infra.signing.keys import KeyPair, create_key, load_private_key

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
GOOD = {"generation": 1, "models": {"triage": ONE}, "staged": [], "resident": [ONE]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "routes.json"


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    return create_key(tmp_path / "keys")


def put(
    path: Path,
    pair: KeyPair,
    fields: Any,
    *,
    kind: str = PREDICATE_TYPE,
    subjects: dict[str, str] | None = None,
) -> None:
    """A file with any content, signed as a real one is."""
    content = statement(subjects or {"routes": digest_json(fields)}, kind, {})
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(sign_statement({**content, "predicate": fields}, load_private_key(pair.private)))


def test_round_trip(path: Path, pair: KeyPair) -> None:
    assert read_snapshot(path, pair.public) == EMPTY
    snapshot = RouteSnapshot(1, {"triage": ONE}, (TWO,), (ONE, TWO))
    write_snapshot(path, snapshot, pair.private)
    assert read_snapshot(path, pair.public) == snapshot
    put(path, pair, GOOD)
    assert read_snapshot(path, pair.public) == RouteSnapshot(1, {"triage": ONE}, (), (ONE,))


@pytest.mark.parametrize("generation", [3, 2, 0, -1])
def test_generation_must_grow(path: Path, pair: KeyPair, generation: int) -> None:
    write_snapshot(path, RouteSnapshot(3, {"triage": ONE}, (), (ONE,)), pair.private)
    with pytest.raises(IntegrityError, match="generation"):
        write_snapshot(path, RouteSnapshot(generation, {"triage": TWO}, (), (TWO,)), pair.private)
    assert read_snapshot(path, pair.public).models == {"triage": ONE}


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
def test_malformed_snapshot_is_not_written(path: Path, pair: KeyPair, snapshot: RouteSnapshot) -> None:
    with pytest.raises(IntegrityError):
        write_snapshot(path, snapshot, pair.private)
    assert not path.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        [],
        None,
        {"generation": 1},
        {**GOOD, "generation": "1"},
        {**GOOD, "generation": 0},
        {**GOOD, "more": 1},
        {**GOOD, "models": []},
        {**GOOD, "models": {"triage": TWO}},
        {**GOOD, "staged": "x"},
    ],
)
def test_a_signed_file_that_is_no_snapshot_is_refused(path: Path, pair: KeyPair, fields: Any) -> None:
    put(path, pair, fields)
    with pytest.raises(IntegrityError, match=r"routes\.json"):
        read_snapshot(path, pair.public)
    with pytest.raises(IntegrityError, match=r"routes\.json"):
        write_snapshot(path, RouteSnapshot(9, {}), pair.private)


def test_signed_for_another_purpose_or_about_other_routes(path: Path, pair: KeyPair) -> None:
    put(path, pair, GOOD, kind="urn:assay:release:v1")
    with pytest.raises(IntegrityError, match="signs a 'urn:assay:release:v1', not routes"):
        read_snapshot(path, pair.public)
    put(path, pair, GOOD, subjects={"routes": ONE})
    with pytest.raises(IntegrityError, match="its subject is not the routes"):
        read_snapshot(path, pair.public)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"\xff", json.dumps(GOOD).encode(), b"[" * (1 << 21)]
)
def test_a_file_that_nobody_signed_is_refused(path: Path, pair: KeyPair, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"routes\.json"):
        read_snapshot(path, pair.public)
    with pytest.raises(IntegrityError, match=r"routes\.json"):
        write_snapshot(path, RouteSnapshot(9, {}), pair.private)


def test_a_stranger_s_signature_is_refused(path: Path, pair: KeyPair, tmp_path: Path) -> None:
    put(path, create_key(tmp_path / "stranger"), GOOD)
    with pytest.raises(IntegrityError, match="not trusted") as refused:
        read_snapshot(path, pair.public)
    assert "assay up" in refused.value.hint
    with pytest.raises(IntegrityError, match="absent"):
        read_snapshot(path, tmp_path / "absent")
