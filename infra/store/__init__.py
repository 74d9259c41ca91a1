"""The content-addressed store: bytes by their own SHA-256, directories as trees of such bytes.

store = open_store(StorePlace("file:///srv/assay/store"))
digest = store.put_bytes(b"...")         # the same bytes twice cost nothing
tree = store.put_tree(Path("adapter"))   # a directory, named by the digest of its names and bytes
store.open_tree(tree)                    # its path, hashed again now
"""

from infra.store.files import FileStore, check_files
from infra.store.interface import Store
from infra.store.opening import open_store

__all__ = ["FileStore", "Store", "check_files", "open_store"]
