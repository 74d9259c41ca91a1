"""The store on S3 against boto3's own transfers, same server, same run: `python bench/store.py`.

Ours hashes a file before it sends it, again while it does, and everything that it gets; it writes aside and
syncs. boto3's `upload_file` and `download_file` do none of that. The server is moto's, on this machine and in
memory: the ratios tell what verification costs, the seconds say nothing of a real service. Rounds
alternate, the best round counts, a ratio below 1 means that ours is faster.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from results import publish

from infra.config.store import S3Settings
from infra.digest import digest_file
from infra.store.s3 import S3Store, open_bucket

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_PORT = 4566


def main() -> None:
    """Publish seconds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.update(_CREDENTIALS)
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(_PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
            figures = _compare(Path(scratch), options.megabytes, options.rounds)
        publish("store", figures, parameters={"rounds": options.rounds})
    finally:
        server.terminate()
        server.wait()


def _compare(scratch: Path, megabytes: int, rounds: int) -> dict[str, float | int]:
    endpoint = f"http://127.0.0.1:{_PORT}"
    store = S3Store(open_bucket("s3://bench", S3Settings(endpoint=endpoint)), scratch / "cache")
    client: Any = store.bucket.client
    _wait(endpoint)
    client.create_bucket(Bucket="bench")
    best: dict[str, float] = {}
    for number in range(rounds):
        file = scratch / f"{number}"
        file.write_bytes(os.urandom(megabytes * 1_000_000))
        digest, out = digest_file(file), scratch / "out"
        contenders: dict[str, Callable[[], object]] = {
            "ours_put": lambda file=file: store.put_file(file),
            "boto3_put": lambda file=file: client.upload_file(str(file), "bench", "peer"),
            "ours_get": lambda digest=digest, out=out: store.export_file(digest, out),
            "boto3_get": lambda out=out: client.download_file("bench", "peer", str(out)),
            "ours_again": lambda file=file: store.put_file(file),
        }
        for name, run in contenders.items():
            out.unlink(missing_ok=True)
            started = time.perf_counter()
            run()
            best[name] = min(best.get(name, float("inf")), time.perf_counter() - started)
        store.bucket.delete(store.bucket.object_key(digest))
        file.unlink()
    return {
        "bytes": megabytes * 1_000_000,
        **{f"{name}_s": round(seconds, 3) for name, seconds in best.items()},
        "put_ratio": round(best["ours_put"] / best["boto3_put"], 2),
        "get_ratio": round(best["ours_get"] / best["boto3_get"], 2),
    }


def _wait(endpoint: str) -> None:
    for _ in range(300):
        try:
            httpx.get(endpoint)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("moto's server did not start")


if __name__ == "__main__":
    main()
