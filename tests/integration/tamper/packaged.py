"""A really packaged release that can be altered in every way: files, bundles, manifest, base, policy."""

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.digest import canonical_json, digest_bytes, digest_manifest, hex_of, tree_manifest
from infra.signing import Expectation, KeyPair, TrustRoot, VerifiedRelease, load_public_key, verify_release
from infra.signing import manifest as layout
from infra.signing.attestations import attestation_file
from infra.signing.dsse import statement
from infra.signing.manifest import ReleaseManifest, parse_manifest
from infra.signing.oms import model_statement, root_digest
from infra.signing.signer import Signer
from infra.store import FileStore
from infra.trust import Stage, TrustPolicy
from tests.signed import attest, signer_of, write_files

Change = Callable[[dict[str, Any]], object]


@dataclass
class Packaged:
    """One release below `home`, with the keys that signed it, and what its verifier trusts and expects."""

    home: Path
    release: Path
    keys: KeyPair
    other: KeyPair
    """A key pair of somebody else."""
    policy: TrustPolicy
    expect: Expectation = Expectation()  # noqa: RUF009  # frozen
    now: datetime | None = None

    @property
    def store(self) -> FileStore:
        return FileStore(self.home / "store")

    @property
    def trust(self) -> TrustRoot:
        other = load_public_key(self.other.public)  # known, and trusted for nothing
        return TrustRoot(self.policy, load_public_key(self.keys.public), (other,))

    @property
    def manifest(self) -> ReleaseManifest:
        return parse_manifest((self.release / layout.MANIFEST).read_bytes())

    @property
    def base(self) -> Path:
        return self.store.tree_path(self.manifest.base.digest)

    def verify(self) -> VerifiedRelease:
        return verify_release(
            self.release, trust=self.trust, store=self.store, expect=self.expect, now=self.now
        )

    # ── what anybody can do who can write to the disk ───────────────────────────────────────────────────

    def flip(self, name: str, position: int = -1) -> None:
        """Change one bit, and leave size and times as they were."""
        path = self.release / name
        before = path.stat()
        data = bytearray(path.read_bytes())
        data[position] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def write(self, name: str, data: bytes = b"{}") -> None:
        write_files(self.release, {name: data})

    def append(self, name: str, data: bytes) -> None:
        with (self.release / name).open("ab") as stream:
            stream.write(data)

    def grow(self, name: str) -> None:
        """To 64 GiB without using the disk: reading it all would take minutes."""
        os.truncate(self.release / name, 64 << 30)

    def remove(self, name: str) -> None:
        (self.release / name).unlink()

    def move(self, name: str, to: str) -> None:
        target = self.release / to
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.release / name).rename(target)

    def swap(self, one: str, two: str) -> None:
        first, second = ((self.release / name).read_bytes() for name in (one, two))
        self.write(one, second)
        self.write(two, first)

    def outside(self, name: str, link: Callable[[Path, Path], None]) -> None:
        """Move a file or directory out of the release and leave a link to it."""
        (self.release / name).rename(self.home / "outside")
        link(self.home / "outside", self.release / name)

    def special(self, name: str, make: Callable[[Path], object]) -> None:
        (self.release / name).unlink(missing_ok=True)
        make(self.release / name)

    def bundle(self, name: str, change: Change) -> None:
        """Edit a bundle, which nobody has to sign again."""
        document = json.loads((self.release / name).read_bytes())
        change(document)
        self.write(name, json.dumps(document).encode())

    def present_as(self, digest: str) -> None:
        self.release = self.release.rename(self.release.with_name(hex_of(digest)))

    def edit_manifest(self, **changes: Any) -> None:
        """Other content, the old signature, the new name."""
        self.write(layout.MANIFEST, canonical_json(self._plain() | changes))
        self.present_as(digest_bytes((self.release / layout.MANIFEST).read_bytes()))

    # ── what only the signer can do: a signature does not excuse it ──────────────────────────────────────

    def seal(self, *, keys: KeyPair | None = None, change: Change = lambda document: None) -> None:
        """Hash all files anew and sign the manifest; `change` edits it last."""
        for name in (layout.MANIFEST, layout.BUNDLE):
            self.plain = self._plain() if name == layout.MANIFEST else self.plain
            self.remove(name)
        files = tree_manifest(self.release)
        adapter = {
            name.removeprefix("adapter/"): digest for name, digest in files.items() if "adapter/" in name
        }
        document = self.plain | {"files": files, "adapter": digest_manifest(adapter)}
        for field, file in (("prompt", layout.PROMPT), ("gate_report", layout.GATE_REPORT)):
            document[field] = files[file]
        change(document)
        data = canonical_json(document)
        self.sign_manifest(data, keys=keys)

    def sign_manifest(self, data: bytes, *, keys: KeyPair | None = None, **changes: Any) -> None:
        """Sign these bytes as a manifest, whatever they are."""
        content = statement({layout.MANIFEST: digest_bytes(data)}, layout.PREDICATE_TYPE, {})
        self.write(layout.MANIFEST, data)
        self.write(layout.BUNDLE, signer_of(keys or self.keys).sign(content | changes))
        self.present_as(digest_bytes(data))

    def sign_adapter(self, *, keys: KeyPair | None = None, change: Change = lambda content: None) -> None:
        """The OMS signature over the adapter as it is now; then all that follows from it."""
        content = json.loads(json.dumps(model_statement("adapter", tree_manifest(self.release / "adapter"))))
        change(content)
        self.write(layout.ADAPTER_SIGNATURE, signer_of(keys or self.keys).sign(content))
        self.attest()

    def attest(self, others: Mapping[Stage, Signer] = {}, **changes: str) -> None:
        """Attestations about the release as it is now, or about `unit` or `root`; then seal."""
        root = root_digest(tree_manifest(self.release / "adapter"))
        about = {"unit": self.manifest.unit, "root": root} | changes
        attest(self.release, about["unit"], about["root"], signer_of(self.keys), others)
        self.seal()

    def restate(self, stage: Stage, change: Change, *, keys: KeyPair | None = None) -> None:
        """Sign one attestation again with other content, and seal."""
        name = attestation_file(stage)
        envelope = json.loads((self.release / name).read_bytes())["dsseEnvelope"]
        content = json.loads(base64.b64decode(envelope["payload"]))
        change(content)
        self.write(name, signer_of(keys or self.keys).sign(content))
        self.seal()

    def put(self, name: str, data: bytes) -> None:
        """A file in the adapter, signed."""
        self.write(name, data)
        self.sign_adapter()

    def rebase(self, name: str, data: bytes) -> None:
        """Another base with this file in it, signed."""
        root = self.home / "another-base"
        files = {file.name: file.read_bytes() for file in self.base.iterdir()}
        write_files(root, files | {name: data})
        digest = self.store.put_tree(root)
        base = self._plain()["base"] | {"digest": digest, "files": tree_manifest(root)}
        self.seal(change=lambda document: document.update(base=base))

    # ── what the verifier's owner can do ────────────────────────────────────────────────────────────────

    def policed(self, **changes: Any) -> None:
        """Another policy, which still accepts releases of this one's making."""
        succeeds = [*self.policy.succeeds, self.policy.digest]
        values = self.policy.model_dump(mode="json") | {"succeeds": succeeds} | changes
        self.policy = TrustPolicy.model_validate(values)

    def revoke(self, **lists: list[Any]) -> None:
        self.policed(revoked=lists)

    def stage(self, name: str, **changes: Any) -> None:
        """Other rules for one stage."""
        stages = self.policy.model_dump(mode="json")["stages"]
        stages[name] = stages[name] | changes
        self.policed(stages=stages)

    def expecting(self, **changes: Any) -> None:
        self.expect = replace(self.expect, **changes)

    def _plain(self) -> dict[str, Any]:
        return dict(json.loads((self.release / layout.MANIFEST).read_bytes()))
