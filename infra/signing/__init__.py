"""Signatures and verification of releases; verifying needs the package `cryptography` alone.

pair = ensure_key(home)
with verify_release(directory, trusted_keys=[pair.public], store=store) as release: ...
"""

from infra.signing.keys import KeyPair, create_key, ensure_key, load_private_key, load_public_key
from infra.signing.manifest import BaseReference, ReleaseManifest, parse_manifest
from infra.signing.verify import VerifiedRelease, read_part, verify_manifest, verify_release

__all__ = [
    "BaseReference",
    "KeyPair",
    "ReleaseManifest",
    "VerifiedRelease",
    "create_key",
    "ensure_key",
    "load_private_key",
    "load_public_key",
    "parse_manifest",
    "read_part",
    "verify_manifest",
    "verify_release",
]
