"""Which store a URI names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from infra.config.store import StorePlace
from infra.errors import ConfigError
from infra.store.files import FileStore
from infra.store.interface import Store


def open_store(place: StorePlace) -> Store:
    """The store behind `file:///path` or `s3://bucket/prefix`; raises ConfigError for any other URI.

    A bucket is not asked before the first use.
    """
    if place.uri.startswith("s3://") and place.cache is not None:
        from infra.store.s3 import S3Store, open_bucket

        return S3Store(open_bucket(place.uri, place.s3), place.cache)
    parts = urlsplit(place.uri)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise ConfigError(
            f"store: got {place.uri!r}, expected file:///absolute/path or s3://bucket/prefix",
            hint="set `store:` in the profile",
        )
    return FileStore(Path(unquote(parts.path)))  # `Path.as_uri` quotes blanks
