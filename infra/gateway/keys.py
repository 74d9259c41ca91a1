"""API keys: shown once, kept as SHA-256 hashes, revoked at once.

keys = KeyStore(home / "keys" / "gateway-keys.json")
key_id, secret = keys.create("ada's notebook", scopes=["triage"])
keys.lookup(secret)          # ApiKey, or None for unknown, revoked and expired

A secret holds 256 random bits, so a plain hash is enough: there is nothing to guess (no salt, no stretching).
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from infra import atomic
from infra.errors import ConfigError, IntegrityError

_SECRET = re.compile(r"ak-([0-9a-f]{12})-[A-Za-z0-9_-]{43}")
_SCOPE = re.compile(r"[a-z][a-z0-9-]{0,62}")
ALL_MODELS, STAGED, ADMIN = "models", "staged", "admin"


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key; the secret itself is nowhere."""

    id: str
    name: str
    scopes: tuple[str, ...]
    """`models` (every model), names of models, `staged` (releases before they go live), `admin`."""
    hash: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"

    def may_use(self, model: str) -> bool:
        """Whether the scopes cover a live model of this name."""
        return model in self.scopes or ALL_MODELS in self.scopes

    @property
    def role(self) -> str:
        """The role whose limits in the access policy apply: `admin`, `staged` or `client`."""
        return next((role for role in (ADMIN, STAGED) if role in self.scopes), "client")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    keys: tuple[ApiKey, ...]


class KeyStore:
    """The key file; every process sees a change at its next look-up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, ...] | None = None
        self._keys: dict[str, ApiKey] = {}
        self._broken: IntegrityError | None = None

    def create(self, name: str, scopes: Iterable[str], expires: datetime | None = None) -> tuple[str, str]:
        """A new key: (id, secret). The secret is not kept: show it now.

        Raises ConfigError for a malformed scope or an expiry without zone or in the past.
        """
        scopes = tuple(dict.fromkeys(scopes))
        if not name.strip() or not scopes or not all(_SCOPE.fullmatch(scope) for scope in scopes):
            raise ConfigError(
                f"key: got name {name!r} and scopes {list(scopes)}",
                hint="give a name and scopes: models, staged, admin, or names of models",
            )
        now = datetime.now(UTC)
        if expires is not None and (expires.tzinfo is None or expires <= now):
            raise ConfigError(f"key: expiry {expires} has no time zone or is past", hint="name a later time")
        key_id, secret = _draw()
        key = ApiKey(key_id, name, scopes, _hash(secret), now, expires)
        with self._locked() as keys:
            self._write([*keys, key])
        return key_id, secret

    def rotate(self, key_id: str, grace: timedelta = timedelta()) -> tuple[str, str]:
        """A new secret for the same name, scopes and expiry: (id, secret); the old one ends after `grace`.

        Without grace the old key is revoked at once. Raises ConfigError for an unknown id, a key that is not
        active (a new key is what is wanted then) or a negative grace.
        """
        if grace < timedelta():
            raise ConfigError(f"key: got a grace of {grace}, expected none or some time to come")
        now = datetime.now(UTC)
        with self._locked() as keys:
            old = _known(keys, key_id)
            if (state := old.state(now)) != "active":
                raise ConfigError(f"key {key_id} is {state}", hint="make a new one: assay keys create")
            fresh_id, secret = _draw()
            fresh = ApiKey(fresh_id, old.name, old.scopes, _hash(secret), now, old.expires)
            ends = min(now + grace, old.expires) if old.expires is not None else now + grace
            ended = (
                msgspec.structs.replace(old, expires=ends)
                if grace
                else msgspec.structs.replace(old, revoked=now)
            )
            # One write: at no moment is there no valid key.
            self._write([*(ended if key.id == key_id else key for key in keys), fresh])
        return fresh_id, secret

    def revoke(self, key_id: str) -> ApiKey:
        """Revoke for good; revoking again changes nothing. Raises ConfigError for an unknown id."""
        with self._locked() as keys:
            found = _known(keys, key_id)
            if found.revoked is not None:
                return found
            revoked = msgspec.structs.replace(found, revoked=datetime.now(UTC))
            self._write([revoked if key.id == key_id else key for key in keys])
            return revoked

    def list(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first. Raises IntegrityError for a file that is malformed or open to others."""
        return _read(self.path)

    def lookup(self, secret: str) -> ApiKey | None:
        """The active key of a secret. A broken key file lets nobody in."""
        self._reload()
        form = _SECRET.fullmatch(secret)
        key = self._keys.get(form.group(1)) if form else None
        if key is None or not hmac.compare_digest(key.hash, _hash(secret)):
            return None
        return key if key.state(datetime.now(UTC)) == "active" else None

    def check(self) -> None:
        """Raises IntegrityError when the key file cannot be used; an absent file is one without keys."""
        self._reload()
        if self._broken is not None:
            raise self._broken

    def _reload(self) -> None:
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return
        try:
            self._keys = {key.id: key for key in _read(self.path)}
            self._broken = None
        except IntegrityError as error:
            self._keys, self._broken = {}, error
        self._stamp = stamp

    @contextlib.contextmanager
    def _locked(self) -> Iterator[tuple[ApiKey, ...]]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield _read(self.path)
        finally:
            os.close(handle)

    def _write(self, keys: Iterable[ApiKey]) -> None:
        data = msgspec.json.format(msgspec.json.encode(_File(1, tuple(keys))), indent=1)
        atomic.write_bytes(self.path, data + b"\n", mode=0o600)


def _known(keys: Iterable[ApiKey], key_id: str) -> ApiKey:
    found = next((key for key in keys if key.id == key_id), None)
    if found is None:
        raise ConfigError(f"no key {key_id!r}", hint="see `assay keys list`")
    return found


def _draw() -> tuple[str, str]:
    key_id = secrets.token_hex(6)
    return key_id, f"ak-{key_id}-{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> str:
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_ino, status.st_size, status.st_mode)


def _read(path: Path) -> tuple[ApiKey, ...]:
    hint = f"restore {path.name} from a backup, or remove it: then every key is void"
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise IntegrityError(f"key file {path} is open to others", hint=f"chmod 600 {path}")
            file = msgspec.json.decode(stream.read(), type=_File)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"key file {path} cannot be used: {error}", hint=hint) from error
    if file.version != 1 or any(
        each is not None and each.tzinfo is None
        for key in file.keys
        for each in (key.created, key.expires, key.revoked)
    ):
        raise IntegrityError(f"key file {path}: unknown version, or a time without zone", hint=hint)
    return file.keys
