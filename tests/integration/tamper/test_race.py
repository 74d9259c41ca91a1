"""Files that change while a release is verified and loaded: what is loaded is what was signed, or nothing."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.digest import digest_file
from infra.refusal import VerificationError
from infra.signing import VerifiedRelease
from infra.signing.sealed import CAN_SEAL
from tests.integration.tamper.cases import CONFIG, WEIGHTS
from tests.integration.tamper.packaged import Packaged

pytestmark = pytest.mark.skipif(not CAN_SEAL, reason="sealed memory is a Linux feature")


@contextlib.contextmanager
def altered_again_and_again(files: list[Path]) -> Iterator[None]:
    """A thread that writes into these files, replaces them by links and puts them back, over and over."""
    good = {file: file.read_bytes() for file in files}
    bad = {file: data[:-1] + bytes([data[-1] ^ 1]) for file, data in good.items()}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for file in files:
                file.write_bytes(bad[file])  # in place: the same file, other bytes
                aside = file.with_name("aside")
                aside.symlink_to("/etc/hosts")
                os.replace(aside, file)
                aside.write_bytes(good[file])
                os.replace(aside, file)
            stop.wait(0.002)

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def loaded_digests(release: VerifiedRelease) -> dict[str, str]:
    """Of what a loader reads now, long after the check."""
    directories = {"adapter/": release.adapter_dir, "base/": release.base_dir}
    return {
        prefix + file.name: digest_file(file)
        for prefix, root in directories.items()
        for file in root.iterdir()
    }


def test_what_is_loaded_is_what_was_signed_whatever_happens_on_disk(packaged: Packaged) -> None:
    manifest = packaged.manifest
    signed = {"adapter/" + name: digest for name, digest in manifest.below("adapter/").items()}
    signed |= {"base/" + name: digest for name, digest in manifest.base.files.items()}
    base = packaged.base / "model.safetensors"
    accepted, refused, deadline = 0, 0, time.monotonic() + 30
    with altered_again_and_again([packaged.release / CONFIG, packaged.release / WEIGHTS, base]):
        while (accepted < 20 or refused < 20) and time.monotonic() < deadline:
            try:
                release = packaged.verify()
            except VerificationError:
                refused += 1
                continue
            with release:
                accepted += 1
                for _ in range(3):
                    assert loaded_digests(release) == signed
                    time.sleep(0.001)
    assert accepted >= 20
    assert refused >= 20


def test_weights_are_read_from_sealed_memory_by_the_loader(packaged: Packaged) -> None:
    from safetensors import safe_open

    with packaged.verify() as release:
        packaged.flip(WEIGHTS)
        (packaged.release / CONFIG).unlink()
        with safe_open(release.adapter_dir / "adapter_model.safetensors", framework="numpy") as tensors:
            assert tensors.get_tensor("w").tolist() == [1.0, 2.0]
        for file in (*release.adapter_dir.iterdir(), *release.base_dir.iterdir()):
            with pytest.raises(PermissionError):
                file.write_bytes(b"")
            with pytest.raises(PermissionError):
                os.truncate(file, 1)
