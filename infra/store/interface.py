"""What a place for bytes must do: a directory and a bucket offer the same verbs."""

from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Bytes by their own SHA-256, directories as trees of such bytes; verified before they are handed out.

    Each verb raises Unavailable when the place does not answer, or refuses for a reason that may heal.
    """

    def put_bytes(self, data: bytes) -> str:
        """Store bytes, return their digest."""

    def put_file(self, path: Path) -> str:
        """Store a file's bytes, return their digest."""

    def get_bytes(self, digest: str) -> bytes:
        """The bytes, verified; raises IntegrityError when absent or altered."""

    def export_file(self, digest: str, target: Path) -> None:
        """Write the bytes to a new file, verified on the way; raises IntegrityError."""

    def has(self, digest: str) -> bool:
        """Whether the bytes are present (not whether they are still right)."""

    def put_tree(self, root: Path) -> str:
        """Store a directory of regular files (see `walk_tree`); returns its tree digest."""

    def has_tree(self, digest: str) -> bool:
        """Whether a tree is present (not whether it is still right)."""

    def open_tree(self, digest: str) -> Path:
        """A local directory with the tree's files, hashed again now; raises IntegrityError."""

    def tree_path(self, digest: str) -> Path:
        """The local directory of a tree, unverified: for callers that hash what they read.

        Brought here first when the tree lies elsewhere. A store without the tree has no such directory.
        """

    def describe(self) -> str:
        """Where it is and what it can do, tried now, in a line; raises ConfigError when it cannot be used."""
