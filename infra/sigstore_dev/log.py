"""A transparency log: entries in a Merkle tree, each answered with a proof below a signed checkpoint.

log = TransparencyLog("rekor.example", ed25519_key)
entry = log.append(body)            # index, root, proof and checkpoint
log.key_id                          # how a trusted root names the log

Checkpoints are signed notes (C2SP signed-note and tlog-checkpoint).
"""

import base64
import hashlib
import threading
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from infra.sigstore_dev.merkle import MerkleTree

_ED25519 = b"\x01"  # the signature type of signed notes


@dataclass(frozen=True)
class LoggedEntry:
    """Where an entry stands in the log, and the proof of it."""

    index: int
    size: int
    root: bytes
    proof: tuple[bytes, ...]
    checkpoint: str


class TransparencyLog:
    """A log under one key: Rekor v1 signs with ECDSA P-256, v2 with Ed25519."""

    def __init__(self, origin: str, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
        self.origin = origin
        self._key = key
        self._tree = MerkleTree()
        self._lock = threading.Lock()
        self.public_der = public_der(key)
        self.key_id = _key_id(origin, key)

    def append(self, body: bytes) -> LoggedEntry:
        """Log an entry: its place, with a checkpoint of the tree that ends with it."""
        with self._lock:
            index = self._tree.append(body)
            size, root, proof = len(self._tree), self._tree.root(), tuple(self._tree.proof(index))
        return LoggedEntry(index, size, root, proof, self._checkpoint(size, root))

    def sign(self, data: bytes) -> bytes:
        """The log's signature over anything it promises."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(data)
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))

    def _checkpoint(self, size: int, root: bytes) -> str:
        note = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.key_id[:4] + self.sign(note.encode())).decode()
        return f"{note}\n— {self.origin} {signature}\n"


def public_der(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """DER of the SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _key_id(origin: str, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """ECDSA logs go by the hash of their key (RFC 6962, 3.2), Ed25519 ones by the signed-note key id."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return hashlib.sha256(
            origin.encode() + b"\n" + _ED25519 + key.public_key().public_bytes_raw()
        ).digest()
    return hashlib.sha256(public_der(key)).digest()
