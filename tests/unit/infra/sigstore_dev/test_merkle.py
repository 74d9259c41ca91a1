"""The log's tree against RFC 6962 written down a second time, and its proofs against an own verifier."""

import hashlib

import pytest

from infra.sigstore_dev.merkle import MerkleTree


def naive_root(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


def root_from(entry: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The verifier of RFC 9162, section 2.1.3.2."""
    node, last, found = index, size - 1, hashlib.sha256(b"\x00" + entry).digest()
    for other in proof:
        assert last > 0
        if node & 1 or node == last:
            found = hashlib.sha256(b"\x01" + other + found).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + other).digest()
        node, last = node >> 1, last >> 1
    assert last == 0
    return found


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert MerkleTree().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 100])
def test_roots_and_proofs_of_every_size(size: int) -> None:
    entries = [str(number).encode() for number in range(size)]
    tree = MerkleTree()
    assert [tree.append(entry) for entry in entries] == list(range(size))
    assert tree.root() == naive_root(entries)
    for index, entry in enumerate(entries):
        assert root_from(entry, index, size, tree.proof(index)) == tree.root()


def test_a_leaf_cannot_be_passed_off_as_a_node() -> None:
    tree, other = MerkleTree(), MerkleTree()
    for entry in (b"a", b"b"):
        tree.append(entry)
    other.append(b"".join(hashlib.sha256(b"\x00" + entry).digest() for entry in (b"a", b"b")))
    assert tree.root() != other.root()
