"""A small release with real keys and signatures over fake weights."""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from infra.digest import canonical_json, digest_bytes, digest_file, digest_manifest, hex_of, tree_manifest
from infra.signing import TrustRoot
from infra.signing import manifest as layout
from infra.signing.dsse import sign_statement, statement
from infra.signing.keys import KeyPair, create_key, load_private_key
from infra.signing.manifest import BaseReference, ReleaseManifest
from infra.signing.oms import model_statement, root_digest
from infra.store import FileStore
from tests.signed import PINNED, attest, signer_of, trust_of, write_files

UNIT = digest_bytes(b"unit")


def safetensors(values: list[float]) -> bytes:
    """One float32 tensor in the safetensors layout."""
    data = struct.pack(f"<{len(values)}f", *values)
    header = {"w": {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, len(data)]}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def adapter_files() -> dict[str, bytes]:
    return {"adapter_config.json": b'{"r": 16}', "adapter_model.safetensors": safetensors([1.0, 2.0])}


def base_files() -> dict[str, bytes]:
    return {
        "config.json": b'{"model_type": "llama"}',
        "model.safetensors": safetensors([3.0] * 4096),
        "tokenizer.json": b"{}",
        "chat_template.jinja": b"{{ messages }}",
    }


@dataclass(frozen=True)
class World:
    """Where a test release, its store and its key lie."""

    root: Path
    store: FileStore
    keys: KeyPair
    release: Path
    manifest: ReleaseManifest

    @property
    def trust(self) -> TrustRoot:
        return trust_of(self.keys)

    @property
    def base(self) -> Path:
        return self.store.tree_path(self.manifest.base.digest)

    def seal(
        self, change: Callable[[ReleaseManifest], ReleaseManifest] = lambda manifest: manifest
    ) -> "World":
        """Hash and sign the release again, as its owner could: for what a signature cannot excuse."""
        for name in (layout.MANIFEST, layout.BUNDLE):
            (self.release / name).unlink(missing_ok=True)
        files = tree_manifest(self.release)
        adapter = {
            name.removeprefix("adapter/"): d for name, d in files.items() if name.startswith("adapter/")
        }
        manifest = replace(
            self.manifest,
            files=files,
            adapter=digest_manifest(adapter),
            gate_report=files[layout.GATE_REPORT],
            prompt=files[layout.PROMPT],
            trust=files[layout.TRUST],
        )
        data = change(manifest).to_bytes()
        return replace(self, manifest=change(manifest), release=publish(self.release, data, self.keys))

    def resign_adapter(self) -> "World":
        """Sign the adapter's files as they are now."""
        files = tree_manifest(self.release / "adapter")
        key = load_private_key(self.keys.private)
        (self.release / layout.ADAPTER_SIGNATURE).write_bytes(
            sign_statement(model_statement("adapter", files), key)
        )
        attest(self.release, UNIT, root_digest(files), signer_of(self.keys))
        return self


def publish(release: Path, data: bytes, keys: KeyPair) -> Path:
    content = statement({layout.MANIFEST: digest_bytes(data)}, layout.PREDICATE_TYPE, {})
    bundle = sign_statement(content, load_private_key(keys.private))
    write_files(release, {layout.MANIFEST: data, layout.BUNDLE: bundle})
    return release.rename(release.parent / hex_of(digest_bytes(data)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    store = FileStore(tmp_path / "store")
    write_files(tmp_path / "base", base_files())
    base = store.put_tree(tmp_path / "base")
    # Test trees are altered on purpose.
    for path in store.tree_path(base).iterdir():
        path.chmod(0o600)
    keys = create_key(tmp_path / "keys")
    release = tmp_path / "releases" / "new"
    write_files(release, {f"adapter/{name}": data for name, data in adapter_files().items()})
    write_files(
        release,
        {
            layout.PROMPT: canonical_json({"name": "p", "system": "s", "user": "{{text}}", "labels": ["a"]}),
            layout.GUARD: b"rules: []\n",
            layout.ACCESS: b"keys: []\n",
            layout.TRUST: PINNED,
            layout.GATE_REPORT: canonical_json({"candidate": UNIT, "verdict": "pass"}),
            "card.html": b"<html></html>",
        },
    )
    some = digest_bytes(b"some")
    manifest = ReleaseManifest(
        format=layout.FORMAT,
        project="triage",
        sequence=1,
        unit=UNIT,
        base=BaseReference("tiny", base, "MIT", "path:tiny", tree_manifest(store.tree_path(base))),
        adapter=some,
        prompt=some,
        guard=digest_file(release / layout.GUARD),
        access=digest_file(release / layout.ACCESS),
        config=some,
        requirements=some,
        dataset=some,
        gate_report=some,
        trust=some,
        verdict="pass",
        files={},
        created="2026-01-01T00:00:00+00:00",
    )
    return World(tmp_path, store, keys, release, manifest).resign_adapter().seal()
