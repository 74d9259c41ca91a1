"""The store on an S3 service, which is trusted with nothing: every byte is verified here, by our own digest.

store = S3Store(open_bucket("s3://models/assay", settings), cache=home / "cache")
"""

from infra.store.s3.bucket import Bucket, open_bucket
from infra.store.s3.pointers import Pointers
from infra.store.s3.preparation import prepare_bucket
from infra.store.s3.retention import retain
from infra.store.s3.store import S3Store

__all__ = ["Bucket", "Pointers", "S3Store", "open_bucket", "prepare_bucket", "retain"]
