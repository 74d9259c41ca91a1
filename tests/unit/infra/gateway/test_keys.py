"""Keys are shown once, hashed on disk, and void as soon as anything about them is wrong."""

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.errors import ConfigError, IntegrityError
from infra.gateway.keys import KeyStore


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys" / "gateway-keys.json")


def test_secret_opens_and_is_nowhere_on_disk(store: KeyStore) -> None:
    key_id, secret = store.create("ada", ["triage"])
    found = store.lookup(secret)
    assert found is not None
    assert (found.id, found.name, found.scopes) == (key_id, "ada", ("triage",))
    assert secret.startswith(f"ak-{key_id}-")
    written = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert secret.encode() not in written
    assert secret.split("-", 2)[2].encode() not in written
    assert store.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("wrong", ["", "x", "ak-", "ak-000000000000-" + "a" * 43, "Bearer x", "ä" * 60])
def test_unknown_secret_opens_nothing(store: KeyStore, wrong: str) -> None:
    store.create("ada", ["models"])
    assert store.lookup(wrong) is None


def test_neither_id_nor_hash_opens(store: KeyStore) -> None:
    key_id, secret = store.create("ada", ["models"])
    stored = json.loads(store.path.read_bytes())["keys"][0]["hash"]
    for wrong in (key_id, stored, secret[:-1], secret + "a", f"ak-{key_id}-{'a' * 43}", secret.upper()):
        assert store.lookup(wrong) is None


def test_revoked_and_expired_keys_open_nothing(store: KeyStore) -> None:
    key_id, secret = store.create("ada", ["models"])
    _, short = store.create("bob", ["models"], datetime.now(UTC) + timedelta(milliseconds=50))
    reader = KeyStore(store.path)
    assert reader.lookup(secret) is not None
    first = store.revoke(key_id)
    assert first.revoked is not None
    assert store.revoke(key_id) == first
    time.sleep(0.06)
    assert reader.lookup(secret) is None
    assert reader.lookup(short) is None
    assert [key.state(datetime.now(UTC)) for key in store.list()] == ["revoked", "expired"]


def test_unknown_key_cannot_be_revoked(store: KeyStore) -> None:
    with pytest.raises(ConfigError, match="no key"):
        store.revoke("abc")


@pytest.mark.parametrize("scopes", [[], [""], ["A"], ["../x"], ["a b"], ["models", "x/y"]])
def test_wrong_scopes_are_refused(store: KeyStore, scopes: list[str]) -> None:
    with pytest.raises(ConfigError):
        store.create("ada", scopes)
    assert not store.path.exists()


@pytest.mark.parametrize("expires", [datetime(2030, 1, 1), datetime(2020, 1, 1, tzinfo=UTC)])
def test_wrong_expiry_is_refused(store: KeyStore, expires: datetime) -> None:
    with pytest.raises(ConfigError, match="expiry"):
        store.create("ada", ["models"], expires)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"version":2,"keys":[]}', b'{"version":1,"keys":[{}]}']
)
def test_broken_file_lets_nobody_in(store: KeyStore, content: bytes) -> None:
    _, secret = store.create("ada", ["models"])
    assert store.lookup(secret) is not None
    store.path.write_bytes(content)
    assert store.lookup(secret) is None
    for use in (store.list, store.check, lambda: store.create("bob", ["models"])):
        with pytest.raises(IntegrityError, match="key file"):
            use()
    assert store.path.read_bytes() == content


def test_file_open_to_others_lets_nobody_in(store: KeyStore) -> None:
    _, secret = store.create("ada", ["models"])
    store.path.chmod(0o640)
    assert store.lookup(secret) is None
    with pytest.raises(IntegrityError, match="open to others"):
        store.check()
    store.path.chmod(0o600)
    assert store.lookup(secret) is not None


def test_file_that_vanishes_lets_nobody_in(store: KeyStore) -> None:
    _, secret = store.create("ada", ["models"])
    assert store.lookup(secret) is not None
    os.unlink(store.path)
    assert store.lookup(secret) is None
    store.check()


def test_keys_made_at_once_are_all_kept(store: KeyStore) -> None:
    threads = [
        threading.Thread(target=lambda: KeyStore(store.path).create("x", ["models"])) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key.id for key in store.list()}) == 12


def test_scopes_and_roles(store: KeyStore) -> None:
    for scopes, role, triage in (
        (["triage"], "client", True),
        (["weakness"], "client", False),
        (["models"], "client", True),
        (["staged"], "staged", False),
        (["models", "admin", "staged"], "admin", True),
    ):
        key = store.lookup(store.create("x", scopes)[1])
        assert key is not None
        assert (key.role, key.may_use("triage")) == (role, triage)


def test_a_rotated_key_opens_and_the_old_one_does_not(store: KeyStore) -> None:
    expires = datetime.now(UTC) + timedelta(days=3)
    key_id, old = store.create("ada", ["triage", "staged"], expires)
    fresh_id, fresh = store.rotate(key_id)
    found = store.lookup(fresh)
    assert found is not None
    assert (found.id, found.name, found.scopes, found.expires) == (
        fresh_id,
        "ada",
        ("triage", "staged"),
        expires,
    )
    assert store.lookup(old) is None
    with pytest.raises(ConfigError, match="is revoked"):
        store.rotate(key_id)


def test_with_grace_both_open_until_it_ends(store: KeyStore) -> None:
    key_id, old = store.create("ada", ["models"])
    _, fresh = store.rotate(key_id, timedelta(milliseconds=80))
    assert store.lookup(old) is not None
    time.sleep(0.1)
    assert store.lookup(old) is None
    assert store.lookup(fresh) is not None


def test_grace_never_prolongs_a_key(store: KeyStore) -> None:
    expires = datetime.now(UTC) + timedelta(hours=1)
    key_id, _ = store.create("ada", ["models"], expires)
    store.rotate(key_id, timedelta(days=9))
    assert {key.expires for key in store.list()} == {expires}


def test_what_cannot_be_rotated(store: KeyStore) -> None:
    with pytest.raises(ConfigError, match="no key 'none'"):
        store.rotate("none")
    key_id, _ = store.create("ada", ["models"], datetime.now(UTC) + timedelta(milliseconds=20))
    with pytest.raises(ConfigError, match="grace"):
        store.rotate(key_id, timedelta(seconds=-1))
    time.sleep(0.03)
    with pytest.raises(ConfigError, match="is expired"):
        store.rotate(key_id)
    assert len(store.list()) == 1
