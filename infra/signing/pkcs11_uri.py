"""Which key in which token: a PKCS#11 URI (RFC 7512), without the PIN.

parse_uri("pkcs11:token=release;object=signing?module-path=/usr/lib/softhsm/libsofthsm2.so")
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from infra.errors import ConfigError

_SCHEME = "pkcs11:"
_PATH = frozenset({"token", "serial", "manufacturer", "model", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source"})
# RFC 7512, section 2.3: unreserved characters, percent-encoding and what either part may hold beside them.
_VALUE = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/?|]|%[0-9A-Fa-f]{2})*")
_HINT = "pkcs11:token=NAME;object=LABEL?module-path=/path/to/module.so&pin-source=file:/path/to/pin"


@dataclass(frozen=True)
class TokenKey:
    """A key by what names it; an empty field is not asked for."""

    module: Path
    token: str
    serial: str
    manufacturer: str
    model: str
    label: str
    key_id: bytes
    pin: str
    """Secret reference from `pin-source`, or empty."""


def parse_uri(uri: str) -> TokenKey:
    """The key that a URI names; raises ConfigError, which never repeats a PIN."""
    if not uri.startswith(_SCHEME):
        raise ConfigError("PKCS#11: the URI does not begin with 'pkcs11:'", hint=_HINT)
    path_text, _, query_text = uri.removeprefix(_SCHEME).partition("?")
    path, query = _attributes(path_text, ";", _PATH), _attributes(query_text, "&", _QUERY)
    if not path.get("object") and not path.get("id"):
        raise ConfigError("PKCS#11: the URI names no key: neither object nor id", hint=_HINT)
    if path.get("type", b"private") != b"private":
        raise ConfigError("PKCS#11: the URI names another type than 'private'", hint=_HINT)
    module = Path(_text(query.get("module-path", b"")))
    if not module.is_absolute():
        raise ConfigError("PKCS#11: module-path is missing or not absolute", hint=_HINT)
    names = {name: _text(path.get(name, b"")) for name in ("token", "serial", "manufacturer", "model")}
    return TokenKey(
        module,
        **names,
        label=_text(path.get("object", b"")),
        key_id=path.get("id", b""),
        pin=_pin_reference(_text(query.get("pin-source", b""))),
    )


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, _, value = part.partition("=")
        if name == "pin-value":
            raise ConfigError(
                "PKCS#11: a PIN in the URI is seen in process lists and logs",
                hint="put it into a file of mode 0600: pin-source=file:/path/to/pin",
            )
        if name not in known or name in found:
            raise ConfigError(f"PKCS#11: {name!r:.40} is unknown, misplaced or repeated", hint=_HINT)
        if not _VALUE.fullmatch(value):
            raise ConfigError(f"PKCS#11: {name}: a character has to be percent-encoded", hint=_HINT)
        found[name] = unquote_to_bytes(value)
    return found


def _pin_reference(source: str) -> str:
    """`file:/path` or `/path` as a secret reference; running a command for the PIN is not offered."""
    if not source:
        return ""
    path = source.removeprefix("file:")
    if path.startswith("//"):  # file:///path
        path = path[2:]
    if not path.startswith("/"):
        raise ConfigError("PKCS#11: pin-source is not an absolute path", hint=_HINT)
    return f"file:{path}"


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("PKCS#11: an attribute is not UTF-8 text", hint=_HINT) from error
