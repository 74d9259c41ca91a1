"""An append-only Merkle tree with inclusion proofs: RFC 6962, section 2.1.

tree = MerkleTree()
index = tree.append(b"entry")
tree.root(), tree.proof(index)      # what a checkpoint signs, and the way from the entry up to it
"""

import hashlib


class MerkleTree:
    """The hashes of all entries, level by level: a proof costs O(log n)."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, entry: bytes) -> int:
        """The index of the new entry."""
        self._levels[0].append(leaf_hash(entry))
        for level, hashes in enumerate(self._levels):
            if len(hashes) % 2:
                break
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(_node_hash(*hashes[-2:]))
        return len(self) - 1

    def root(self) -> bytes:
        """MTH(D[n]): what stands for all entries so far."""
        return self._hash(0, len(self)) if len(self) else hashlib.sha256().digest()

    def proof(self, index: int) -> list[bytes]:
        """PATH(index, D[n]): the hashes beside the way from the entry to the root, lowest first."""
        start, end, path = 0, len(self), list[bytes]()
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return path[::-1]

    def _hash(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]); `start` is a multiple of the largest power of two in the range, always."""
        size = end - start
        if size & (size - 1) == 0:  # a complete subtree: its hash is kept
            return self._levels[size.bit_length() - 1][start // size]
        middle = start + _split(size)
        return _node_hash(self._hash(start, middle), self._hash(middle, end))


def leaf_hash(entry: bytes) -> bytes:
    """Leaves and nodes are hashed with different prefixes: neither can be passed off as the other."""
    return hashlib.sha256(b"\x00" + entry).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1
