"""Verify before load: the only way to a `VerifiedRelease`, and the only files that may be loaded.

with verify_release(directory, trust=open_trust(policy, key), store=store) as release:
    load(release.base_dir, release.adapter_dir, release.prompt)

Fails closed: whatever goes wrong is a VerificationError that names the file and has a reason code. Nothing
is remembered from one verification to the next.
"""

import contextlib
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.digest import canonical_json, digest_bytes, digest_file, hex_of
from infra.errors import IntegrityError, Unavailable
from infra.refusal import Reason, VerificationError
from infra.signing import contents
from infra.signing import manifest as layout
from infra.signing.attestations import attestation_file, check_attestation, stage_of
from infra.signing.documents import MOST_BYTES, parse_object
from infra.signing.dsse import subjects_of
from infra.signing.expectation import ANY_RELEASE, Expectation
from infra.signing.file_set import check_file_set
from infra.signing.manifest import ReleaseManifest, check_expiry, created_at, parse_manifest
from infra.signing.oms import check_model_statement, hash_type_of, root_digest
from infra.signing.sealed import SealedTree, SharedTrees, open_regular, read_regular, seal_tree
from infra.signing.signer import SignerIdentity
from infra.signing.trusted import TrustRoot
from infra.store import Store
from infra.trust import Signed, Stage

_HINT = "do not use this release: restore its directory from a backup, or package it again"
_SIGNED_MOST_BYTES = 8 << 20
_BASES = SharedTrees()
_PERMIT = object()


class VerifiedRelease:
    """A release whose every byte was checked; only `verify_release` makes one. Close it to free memory."""

    def __init__(
        self,
        permit: object,
        manifest: ReleaseManifest,
        trees: tuple[SealedTree, SealedTree],
        parts: Mapping[str, bytes],
        signers: Mapping[Stage, SignerIdentity],
        close: Callable[[], None],
    ) -> None:
        if permit is not _PERMIT:
            raise TypeError("only verify_release() makes a VerifiedRelease")
        self.manifest = manifest
        self.digest: str = manifest.digest
        self.base_dir: Path = trees[0].directory
        self.adapter_dir: Path = trees[1].directory
        self.prompt: dict[str, Any] = parse_object(parts[layout.PROMPT], layout.PROMPT)
        self.guard_yaml: bytes = parts[layout.GUARD]
        self.access_yaml: bytes = parts[layout.ACCESS]
        self.signers: Mapping[Stage, SignerIdentity] = dict(signers)
        """Who signed what; an approval may have to come from somebody else."""
        self._trees = trees  # keeps the sealed memory alive as long as the paths are known
        self._close = weakref.finalize(self, close)

    def close(self) -> None:
        """Free the copies; `base_dir` and `adapter_dir` stop working. Calling it again does nothing."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def verify_manifest(
    directory: Path,
    *,
    trust: TrustRoot,
    expect: Expectation = ANY_RELEASE,
    now: datetime | None = None,
    in_force: bool = True,
) -> ReleaseManifest:
    """The light check: revocation, signature, what is expected, and prompt, guard and access files.

    Weights are not read: what is loaded needs `verify_release`. With `in_force=False` a release may have
    expired or be made under another trust policy: for what is only looked at. Raises VerificationError.
    """
    with _fail_closed(directory):
        manifest, signer = _signed_manifest(directory, trust, expect)
        if in_force:
            _check_in_force(manifest, signer, trust, now)
        for name in layout.LIGHT:
            _part(directory, manifest, name)
        return manifest


def recorded_manifest(directory: Path, release: str) -> ReleaseManifest:
    """What a release is that the ledger names, by its digest alone: its signer may count no more.

    For what is compared, shown or stays refused; what may serve needs its signatures. Raises
    VerificationError.
    """
    with _fail_closed(directory):
        data = read_regular(directory, layout.MANIFEST, MOST_BYTES)
        if (got := digest_bytes(data)) != release:
            raise VerificationError(
                Reason.MANIFEST_ALTERED, f"{layout.MANIFEST}: altered: got {got}, the ledger says {release}"
            )
        return parse_manifest(data)


def read_part(directory: Path, manifest: ReleaseManifest, name: str) -> bytes:
    """One file of a release, read once and checked in memory, for use; raises VerificationError."""
    with _fail_closed(directory):
        return _part(directory, manifest, name)


def verify_release(
    directory: Path,
    *,
    trust: TrustRoot,
    store: Store,
    expect: Expectation = ANY_RELEASE,
    now: datetime | None = None,
) -> VerifiedRelease:
    """The full check, see the module's docstring; raises VerificationError, and Unavailable of the store."""
    with _fail_closed(directory), contextlib.ExitStack() as undo:
        manifest, signer = _signed_manifest(directory, trust, expect)
        _check_in_force(manifest, signer, trust, now)
        check_file_set(directory, [*manifest.files, layout.MANIFEST, layout.BUNDLE])
        parts = {name: _part(directory, manifest, name) for name in layout.LIGHT}
        if canonical_json(parse_object(parts[layout.PROMPT], layout.PROMPT)) != parts[layout.PROMPT]:
            raise VerificationError(Reason.MALFORMED, f"{layout.PROMPT}: not in canonical form")
        _check_other_files(directory, manifest)
        adapter = _seal("adapter", directory / "adapter", manifest.below(layout.ADAPTER))
        undo.callback(adapter.close)
        signers = _check_signed_documents(directory, manifest, adapter, trust) | {Stage.RELEASE: signer}
        _check_separation(signers, trust)
        base, release_base = _BASES.acquire(manifest.base.digest, lambda: _base(manifest, store))
        undo.callback(release_base)
        return VerifiedRelease(_PERMIT, manifest, (base, adapter), parts, signers, undo.pop_all().close)


@contextlib.contextmanager
def _fail_closed(directory: Path) -> Iterator[None]:
    release = f"release {directory.name[:12]}"
    try:
        yield
    except Unavailable:
        raise  # the store may answer later; nothing was verified
    except VerificationError as error:
        raise VerificationError(error.reason, f"{release}: {error.message}", error.hint or _HINT) from error
    except IntegrityError as error:
        raise VerificationError(Reason.UNKNOWN, f"{release}: {error.message}", error.hint or _HINT) from error
    except OSError as error:
        what = f"cannot be read: {error.strerror}: {error.filename}"
        raise VerificationError(Reason.UNREADABLE, f"{release}: {what}", _HINT) from error
    except Exception as error:
        what = f"cannot be verified: {type(error).__name__}: {error}"
        raise VerificationError(Reason.UNKNOWN, f"{release}: {what}", _HINT) from error


def _signed_manifest(
    directory: Path, trust: TrustRoot, expect: Expectation
) -> tuple[ReleaseManifest, SignerIdentity]:
    if directory.is_symlink() or not directory.is_dir():
        raise VerificationError(
            Reason.NOT_A_RELEASE,
            f"{directory} is not a release directory",
            hint="see `assay release list`; one that lies in a bucket comes back with `assay store restore`",
        )
    data = read_regular(directory, layout.MANIFEST, MOST_BYTES)
    digest = digest_bytes(data)
    _refuse_revoked([digest], trust)
    bundle = read_regular(directory, layout.BUNDLE, _SIGNED_MOST_BYTES)
    signed, signer = trust.verify(bundle, Stage.RELEASE, layout.BUNDLE)
    if (got := signed.get("predicateType")) != layout.PREDICATE_TYPE:
        raise VerificationError(Reason.WRONG_STAGE, f"{layout.BUNDLE}: signs a {got!r}, not a release")
    if (subjects := subjects_of(signed, layout.BUNDLE)) != {layout.MANIFEST: digest}:
        raise VerificationError(
            Reason.MANIFEST_ALTERED,
            f"{layout.MANIFEST}: altered: got {digest}, signed is {subjects.get(layout.MANIFEST)}",
        )
    if directory.name != hex_of(digest):
        raise VerificationError(
            Reason.PRESENTED_AS_ANOTHER,
            f"{layout.MANIFEST}: this is release {digest}, presented as {directory.name}",
            hint="a release directory carries its own digest as its name",
        )
    manifest = parse_manifest(data)
    _refuse_revoked(_made_of(manifest), trust)
    expect.check(manifest)
    return manifest, signer


def _refuse_revoked(digests: Iterable[str], trust: TrustRoot) -> None:
    for digest in digests:
        if digest in trust.policy.revoked.releases:
            raise VerificationError(
                Reason.RELEASE_REVOKED,
                f"{digest} is revoked by the trust policy",
                hint="serve another release: assay release rollback",
            )


def _made_of(manifest: ReleaseManifest) -> list[str]:
    """Every digest under which a release can be revoked, beside its own."""
    parts = (manifest.unit, manifest.adapter, manifest.prompt, manifest.guard, manifest.access)
    weights = (manifest.base.digest, root_digest(manifest.below(layout.ADAPTER)))
    return [*parts, *weights, manifest.dataset, manifest.requirements, manifest.config, manifest.trust]


def _check_in_force(
    manifest: ReleaseManifest, signer: SignerIdentity, trust: TrustRoot, now: datetime | None
) -> None:
    """Neither too old nor expired, made under these rules, with all the attestations that they require."""
    policy = trust.policy
    policy.age(now).verify(Signed(layout.MANIFEST, signer, created_at(manifest)))
    check_expiry(manifest, now)
    if manifest.trust not in (policy.digest, *policy.succeeds):
        raise VerificationError(
            Reason.POLICY_MISMATCH,
            f"{layout.MANIFEST}: made under trust policy {manifest.trust}, expected {policy.digest}",
            hint="package it again, or list the earlier policy under `succeeds` in configs/trust.yaml",
        )
    for stage in policy.required:
        if attestation_file(stage) not in manifest.files:
            raise VerificationError(
                Reason.ATTESTATION_MISSING, f"{attestation_file(stage)}: required by the trust policy"
            )


def _part(directory: Path, manifest: ReleaseManifest, name: str) -> bytes:
    data = read_regular(directory, name, MOST_BYTES)
    _compare(name, digest_bytes(data), manifest.files.get(name))
    return data


def _compare(name: str, got: str, expected: str | None) -> None:
    if got != expected:
        raise VerificationError(Reason.FILE_ALTERED, f"{name}: altered: got {got}, expected {expected}")


def _check_other_files(directory: Path, manifest: ReleaseManifest) -> None:
    """Files that are kept as evidence and never loaded: hashed in place."""
    for name, expected in manifest.files.items():
        if name not in layout.LIGHT and not name.startswith(layout.ADAPTER):
            os.close(open_regular(directory, name))
            _compare(name, digest_file(directory / name), expected)


def _seal(kind: str, root: Path, files: Mapping[str, str]) -> SealedTree:
    """Copies of exactly these files, of allowed types, with exactly these digests."""
    contents.check_names(kind, files)
    with _named(kind):
        tree = seal_tree(root, sorted(files))
    try:
        for name, expected in files.items():
            _compare(f"{kind}/{name}", tree.files[name], expected)
            contents.check_content(f"{kind}/{name}", tree.directory / name)
    except BaseException:
        tree.close()
        raise
    return tree


@contextlib.contextmanager
def _named(kind: str) -> Iterator[None]:
    try:
        yield
    except VerificationError as error:
        raise VerificationError(error.reason, f"{kind}/{error.message}", error.hint) from error


def _base(manifest: ReleaseManifest, store: Store) -> SealedTree:
    root = store.tree_path(manifest.base.digest)
    if root.is_symlink() or not root.is_dir():
        raise VerificationError(
            Reason.BASE_MISSING,
            f"base {manifest.base.name}: the store has no tree {manifest.base.digest}",
            hint="run the develop flow: it converts and stores the base again",
        )
    with _named("base"):
        check_file_set(root, list(manifest.base.files))
    return _seal("base", root, manifest.base.files)


def _check_signed_documents(
    directory: Path, manifest: ReleaseManifest, adapter: SealedTree, trust: TrustRoot
) -> dict[Stage, SignerIdentity]:
    """Adapter signature, attestations and gate report: by whom the policy trusts, about this very unit.

    Returns who signed which.
    """
    name = layout.ADAPTER_SIGNATURE
    signed, signer = trust.verify(_document(directory, manifest, name), Stage.WEIGHTS, name)
    hash_type = hash_type_of(signed, trust.policy.hashes, name)
    check_model_statement(signed, adapter.digests(hash_type), name, hash_type)
    signers, root = {Stage.WEIGHTS: signer}, root_digest(adapter.files)
    for name in sorted(manifest.files):
        if name.startswith(layout.ATTESTATIONS):
            stage = stage_of(name)
            signed, signers[stage] = trust.verify(_document(directory, manifest, name), stage, name)
            check_attestation(stage, signed, manifest, root, name)
    name = layout.GATE_REPORT
    report = parse_object(_document(directory, manifest, name), name, most_bytes=_SIGNED_MOST_BYTES)
    if (report.get("candidate"), report.get("verdict")) != (manifest.unit, "pass"):
        raise VerificationError(
            Reason.VERDICT_REFUSED, f"{name}: does not say 'pass' for unit {manifest.unit}"
        )
    return signers


def _check_separation(signers: Mapping[Stage, SignerIdentity], trust: TrustRoot) -> None:
    for stage, signer in sorted(signers.items()):
        trust.policy.separation(stage, signers).verify(Signed(f"signature of {stage}", signer))


def _document(directory: Path, manifest: ReleaseManifest, name: str) -> bytes:
    data = read_regular(directory, name, _SIGNED_MOST_BYTES)
    _compare(name, digest_bytes(data), manifest.files.get(name))
    return data
