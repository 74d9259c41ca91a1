"""The trust configuration of an instance: what a verifier trusts, and where a signer goes.

document = trust_config(instance, rekor=2)
write_trust_config(directory / "trust-config.json", document)

ClientTrustConfig v0.1 of github.com/sigstore/protobuf-specs; `trustedRoot` inside it is all that
verification needs, with no service running.
"""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from infra import atomic
from infra.errors import IntegrityError
from infra.signing.documents import parse_object
from infra.sigstore_dev.authorities import ORGANISATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.sigstore_dev.instance import Instance

TRUST_CONFIG_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
# sigstore-python 4.5.1 knows the v0.2 type and refuses it.
TRUSTED_ROOT_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
_SIGNING_CONFIG_TYPE = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
_ECDSA, _ED25519 = "PKIX_ECDSA_P256_SHA_256", "PKIX_ED25519"
_LISTS = ("tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities")
_MOST_BYTES = 4 << 20

RekorVersion = Literal[1, 2]


def trust_config(instance: "Instance", rekor: RekorVersion) -> dict[str, Any]:
    """The whole document; signers log into Rekor `rekor`, verifiers trust both versions."""
    return {
        "mediaType": TRUST_CONFIG_TYPE,
        "trustedRoot": _trusted_root(instance),
        "signingConfig": _signing_config(instance, rekor),
    }


def write_trust_config(path: Path, document: dict[str, Any]) -> None:
    """Write it, keeping what an earlier file at `path` trusted: signatures of earlier starts stay good.

    Raises IntegrityError when something else is at `path`, such as the trust of a real instance.
    """
    root = document["trustedRoot"]
    if path.exists():
        earlier = _earlier_root(path)
        root = root | {name: [*root[name], *earlier[name]] for name in _LISTS}
    atomic.write_text(path, json.dumps(document | {"trustedRoot": root}, indent=1) + "\n", mode=0o644)


def _earlier_root(path: Path) -> dict[str, Any]:
    document = parse_object(path.read_bytes(), str(path), most_bytes=_MOST_BYTES)
    try:
        operators = {each["operator"] for each in document["signingConfig"]["caUrls"]}
        root = {name: list(document["trustedRoot"][name]) for name in _LISTS}
    except (KeyError, TypeError):
        operators, root = set(), {}
    if operators != {ORGANISATION}:
        raise IntegrityError(
            f"{path}: is not of a private Sigstore of ours, and is not replaced",
            hint="choose another directory",
        )
    return root


def _trusted_root(instance: "Instance") -> dict[str, Any]:
    started = instance.started
    logs = ((instance.rekor_v1.log, _ECDSA), (instance.rekor_v2.log, _ED25519))
    return {
        "mediaType": TRUSTED_ROOT_TYPE,
        "tlogs": [_log(instance.url, log.public_der, log.key_id, details, started) for log, details in logs],
        "certificateAuthorities": [_authority(instance.fulcio.authority.certificates, instance.url, started)],
        "ctlogs": [_log(instance.url, instance.ct_log.public_der, instance.ct_log.key_id, _ECDSA, started)],
        "timestampAuthorities": [_authority(instance.timestamps.certificates, instance.url, started)],
    }


def _signing_config(instance: "Instance", rekor: RekorVersion) -> dict[str, Any]:
    def service(url: str, version: int = 1) -> list[dict[str, Any]]:
        return [
            {
                "url": url,
                "majorApiVersion": version,
                "validFor": {"start": _time(instance.started)},
                "operator": ORGANISATION,
            }
        ]

    return {
        "mediaType": _SIGNING_CONFIG_TYPE,
        "caUrls": service(instance.url),
        "oidcUrls": service(instance.issuer.url),
        "rekorTlogUrls": service(instance.url, rekor),
        "rekorTlogConfig": {"selector": "ANY"},
        # The one service that is named by its full path.
        "tsaUrls": service(f"{instance.url}/api/v1/timestamp"),
        "tsaConfig": {"selector": "ANY"},
    }


def _log(url: str, public_der: bytes, key_id: bytes, details: str, start: datetime) -> dict[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _encoded(public_der),
            "keyDetails": details,
            "validFor": {"start": _time(start)},
        },
        "logId": {"keyId": _encoded(key_id)},
    }


def _authority(chain: "Sequence[x509.Certificate]", url: str, start: datetime) -> dict[str, Any]:
    certificates = [_encoded(each.public_bytes(serialization.Encoding.DER)) for each in chain]
    return {
        "subject": {"organization": ORGANISATION, "commonName": "assay"},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": each} for each in certificates]},
        "validFor": {"start": _time(start)},
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
