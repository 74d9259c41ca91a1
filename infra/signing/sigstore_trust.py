"""What a Sigstore verifier trusts: a trusted root, alone or inside a client trust configuration.

trust = read_trust(Path("trusted-root.json"))     # its bytes, once they are known to make sense
trusted_root(trust, during=(start, end))          # fresh for each verification
client_config(Path("trust-config.json"))          # also where to sign; None: the public instance
"""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import IntegrityError
from infra.signing.documents import parse_object

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig, TrustedRoot

_CONFIG_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_ROOT_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
# Logs have their validity with their key, authorities beside their chain.
_LOGS, _AUTHORITIES = ("tlogs", "ctlogs"), ("certificateAuthorities", "timestampAuthorities")
_NO_SERVICES = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}
_MOST_BYTES = 4 << 20


def read_trust(path: Path) -> bytes:
    """A trust configuration or trusted root from its file; raises IntegrityError when it is neither."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
        trusted_root(data)
    except OSError as error:
        raise IntegrityError(f"{path}: cannot be read: {error.strerror}", hint="check the path") from error
    except IntegrityError as error:
        raise IntegrityError(f"{path}: {error.message}", error.hint) from error
    return data


def trusted_root(data: bytes, during: tuple[datetime, datetime] | None = None) -> "TrustedRoot":
    """A new object each time, so that nothing one verification learns reaches the next.

    With `during`, the life of the signing certificate, what counted before or after it alone is left out:
    sigstore-python 4.5.1 goes on trusting authorities and logs whose `validFor` has ended.
    Raises IntegrityError.
    """
    from sigstore.models import ClientTrustConfig

    document = parse_object(data, "trusted root", most_bytes=_MOST_BYTES)
    if document.get("mediaType") == _ROOT_TYPE:
        document = {"mediaType": _CONFIG_TYPE, "trustedRoot": document, "signingConfig": _NO_SERVICES}
    elif document.get("mediaType") != _CONFIG_TYPE:
        raise IntegrityError(
            f"got media type {document.get('mediaType')!r}, expected {_ROOT_TYPE!r} or {_CONFIG_TYPE!r}",
            hint="name a trusted_root.json or a client trust configuration",
        )
    try:
        if during is not None:
            document["trustedRoot"] = _valid_during(document["trustedRoot"], *during)
        return ClientTrustConfig.from_json(json.dumps(document)).trusted_root
    except Exception as error:
        raise IntegrityError(f"not a trusted root: {type(error).__name__}: {error}") from error


def _valid_during(root: dict[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
    def counts(validity: dict[str, str]) -> bool:
        since, until = validity.get("start"), validity.get("end")
        return (since is None or datetime.fromisoformat(since) <= end) and (
            until is None or start <= datetime.fromisoformat(until)
        )

    logs = {name: [e for e in root[name] if counts(e["publicKey"].get("validFor", {}))] for name in _LOGS}
    authorities = {
        name: [e for e in root.get(name, []) if counts(e.get("validFor", {}))] for name in _AUTHORITIES
    }
    return root | logs | authorities


def client_config(path: Path | None) -> "ClientTrustConfig":
    """Where to sign and what to trust; None: the public instance, by TUF, which needs the network.

    Raises IntegrityError for a file that is no client trust configuration.
    """
    from sigstore.models import ClientTrustConfig

    if path is None:
        return ClientTrustConfig.production()
    data = read_trust(path)
    if parse_object(data, str(path), most_bytes=_MOST_BYTES).get("mediaType") != _CONFIG_TYPE:
        raise IntegrityError(
            f"{path}: a trusted root says whom to trust, not where to sign",
            hint="name a client trust configuration",
        )
    return ClientTrustConfig.from_json(data.decode())
