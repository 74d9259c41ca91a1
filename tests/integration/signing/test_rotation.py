"""Another signing key: what the old one signed still counts, or none of it; killed anywhere, one is whole."""

from pathlib import Path

import pytest

from infra.checkpoints import Checkpoints
from infra.errors import IntegrityError
from infra.gateway.routes import RouteSnapshot, read_snapshot, write_snapshot
from infra.signing.dsse import sign_statement, statement, verify_statement
from infra.signing.keys import ensure_key, load_private_key, load_public_key
from infra.signing.rotation import own_keys, retired_keys, rotate_key, void_key
from infra.signing.trusted import open_trust
from infra.trust import Stage
from tests.integration.killed import Event, survives
from tests.signed import POLICY

DIGEST = "sha256:" + "1" * 64


def signed(home: Path) -> bytes:
    """A statement by the key in use."""
    key = load_private_key(ensure_key(home).private)
    return sign_statement(statement({"release.json": DIGEST}, "urn:test", {}), key)


def counts(home: Path, bundle: bytes) -> bool:
    """Whether the shipped trust policy lets its signer sign a release."""
    trust = open_trust(POLICY, home / "keys" / "signing.pub")
    try:
        trust.verify(bundle, Stage.RELEASE, "bundle")
    except IntegrityError:
        return False
    return True


def test_what_the_old_key_signed_still_counts(tmp_path: Path) -> None:
    before = signed(tmp_path)
    rotated = rotate_key(tmp_path)
    after = signed(tmp_path)
    assert rotated.old != rotated.new == ensure_key(tmp_path).key_id
    assert counts(tmp_path, before)
    assert counts(tmp_path, after)
    new = load_public_key(tmp_path / "keys" / "signing.pub")
    with pytest.raises(IntegrityError):
        verify_statement(before, [new], "bundle")
    assert [key.key_id for key in retired_keys(tmp_path / "keys")] == [rotated.old]
    assert not list((tmp_path / "keys").glob(".next-*"))
    third = rotate_key(tmp_path)
    assert counts(tmp_path, before)
    assert {key.key_id for key in own_keys(tmp_path / "keys" / "signing.pub")} == {
        rotated.old,
        third.old,
        third.new,
    }


def test_nothing_of_a_compromised_key_counts(tmp_path: Path) -> None:
    before = signed(tmp_path)
    rotated = rotate_key(tmp_path)
    void_key(tmp_path, rotated.old)
    void_key(tmp_path, rotated.old)
    assert not counts(tmp_path, before)
    assert counts(tmp_path, signed(tmp_path))
    assert retired_keys(tmp_path / "keys") == ()
    with pytest.raises(IntegrityError, match="is the key in use"):
        void_key(tmp_path, rotated.new)


def test_routes_and_checkpoint_of_the_old_key_are_read_and_replaced(tmp_path: Path) -> None:
    file, pair = tmp_path / "run" / "routes.json", ensure_key(tmp_path)
    write_snapshot(file, RouteSnapshot(1, {}), pair.private)
    Checkpoints(tmp_path).advance([])
    rotate_key(tmp_path)
    assert read_snapshot(file, pair.public).generation == 1
    assert Checkpoints(tmp_path).newest() is not None
    write_snapshot(file, RouteSnapshot(2, {}), pair.private)
    assert read_snapshot(file, pair.public).generation == 2
    Checkpoints(tmp_path).restart([])
    void_key(tmp_path, rotate_key(tmp_path).old)
    with pytest.raises(IntegrityError, match="not trusted"):
        read_snapshot(file, pair.public)
    with pytest.raises(IntegrityError, match="not trusted"):
        Checkpoints(tmp_path).newest()


def test_a_file_among_the_retired_keys_that_is_none_is_refused(tmp_path: Path) -> None:
    rotate_key(tmp_path)
    (tmp_path / "keys" / "retired" / "x.pub").write_text("no key")
    with pytest.raises(IntegrityError, match=r"x\.pub"):
        own_keys(tmp_path / "keys" / "signing.pub")


def test_an_encrypted_key_stays_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNING_PASSPHRASE", "correct horse battery staple")
    ensure_key(tmp_path, "env:SIGNING_PASSPHRASE")
    rotate_key(tmp_path, "env:SIGNING_PASSPHRASE")
    with pytest.raises(IntegrityError):
        load_private_key(tmp_path / "keys" / "signing.pem")
    assert ensure_key(tmp_path, "env:SIGNING_PASSPHRASE").key_id


def test_killed_anywhere_a_pair_is_whole_and_old_signatures_count(tmp_path: Path) -> None:
    def matters(event: str, _: Event) -> bool:
        return event in {"os.remove", "os.rename", "os.mkdir", "os.link", "open"}

    step, kills = 1, 0
    while True:
        home = tmp_path / str(step)
        before = signed(home)
        done = survives(lambda at=home: rotate_key(at), step, matters)  # type: ignore[misc]
        ensure_key(home)
        assert counts(home, before), step
        assert counts(home, signed(home)), step
        if done:
            break
        kills += 1
        step += 1
    assert kills > 8
