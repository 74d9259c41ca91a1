"""Signatures and verification of releases; verifying by key needs the package `cryptography` alone.

pair = ensure_key(home)
trust = open_trust(Path("configs/trust.yaml"), pair.public)
with verify_release(directory, trust=trust, store=store) as release: ...
"""

from infra.signing.expectation import Expectation, restored_release
from infra.signing.keys import KeyPair, create_key, ensure_key, load_private_key, load_public_key
from infra.signing.manifest import BaseReference, ReleaseManifest, parse_manifest
from infra.signing.trusted import TrustRoot, open_trust
from infra.signing.verify import (
    VerifiedRelease,
    read_part,
    recorded_manifest,
    verify_manifest,
    verify_release,
)

__all__ = [
    "BaseReference",
    "Expectation",
    "KeyPair",
    "ReleaseManifest",
    "TrustRoot",
    "VerifiedRelease",
    "create_key",
    "ensure_key",
    "load_private_key",
    "load_public_key",
    "open_trust",
    "parse_manifest",
    "read_part",
    "recorded_manifest",
    "restored_release",
    "verify_manifest",
    "verify_release",
]
