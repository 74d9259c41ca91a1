"""Package a candidate that passed: stage its directory, sign it, verify it twice, then make it visible.

release = package_release(candidate, report, store=store, releases_dir=home / "releases", …)

A kill anywhere leaves at most a hidden `.part` directory, which the next run removes. Packaging the same
candidate under the same report again returns the same release.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra import atomic
from infra.digest import (
    PREFIX,
    canonical_json,
    digest_bytes,
    digest_file,
    digest_json,
    digest_manifest,
    hex_of,
    tree_manifest,
)
from infra.errors import AssayError, IntegrityError, PromotionDenied
from infra.locks import hold
from infra.refusal import SIGNER_COUNTS_NO_MORE, VerificationError
from infra.signing import (
    BaseReference,
    Expectation,
    ReleaseManifest,
    TrustRoot,
    parse_manifest,
    verify_manifest,
    verify_release,
)
from infra.signing import manifest as layout
from infra.signing.dsse import statement
from infra.signing.manifest import check_expiry
from infra.signing.oms import root_digest
from infra.signing.signer import Signer
from infra.store import Store
from tasks.deploy.card import CardFacts, card_json, card_page, make_card
from tasks.deploy.card.modelcard import model_card
from tasks.deploy.origin import Origin, load_origin, require_provenance
from tasks.deploy.signing import check_with_reference, sign_adapter, sign_statements, sign_summary
from tasks.records import Candidate, EvidenceSet, GateReport, Record, Release, Verdict


@dataclass(frozen=True)
class ReleaseFiles:
    """What is served beside the weights: their bytes have the digests that the candidate names."""

    prompt: Mapping[str, Any]
    guard_yaml: bytes
    access_yaml: bytes


def package_release(
    candidate: Candidate,
    report: GateReport,
    *,
    store: Store,
    releases_dir: Path,
    files: ReleaseFiles,
    sequence: int,
    signer: Signer,
    trust: TrustRoot,
    evidence: EvidenceSet,
    facts: CardFacts | None = None,
    expires: datetime | None = None,
) -> Release:
    """The signed, verified release directory of a candidate.

    Signed by `signer`, whom `trust` has to let sign. Raises PromotionDenied unless the report says `pass` for
    exactly this unit, IntegrityError when any part is not what the candidate names or the result does not
    verify, Unavailable when the disk refuses or another process is packaging.
    """
    check_may_package(candidate, report, evidence, files)
    releases_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with hold(releases_dir, f".package-{candidate.project}", f"packaging of {candidate.project}"):
        # We hold the lock, so any such directory was left by a process that is no more.
        for left in releases_dir.glob(f".{candidate.project}.*.part"):
            shutil.rmtree(left)
        known = find_release(releases_dir, candidate.unit, report_digest(report), trust=trust)
        if known is not None:
            return known
        now = datetime.now(UTC)
        created = now.isoformat(timespec="seconds")
        until = expires.astimezone(UTC).isoformat(timespec="seconds") if expires else None
        card = make_card(
            candidate,
            report,
            evidence,
            facts or CardFacts(),
            sequence=sequence,
            created=created,
            expires=until,
        )
        origin = load_origin(candidate, store)
        with _staging(releases_dir, candidate.project) as staging:
            _write_parts(staging, files, store.open_tree(candidate.adapter.digest))
            _write(staging, layout.GATE_REPORT, _canonical(report))
            _write(staging, "evidence.json", _canonical(evidence))
            _write(staging, "card.json", card_json(card))
            _write(staging, "card.html", card_page(card).encode())
            _write(staging, "MODEL_CARD.md", model_card(card).encode())
            _write(staging, layout.MLBOM, origin.mlbom)
            _write(staging, layout.REQUIREMENTS, origin.requirements)
            _write(staging, layout.TRUST, trust.policy.pinned)
            _sign_parts(staging, candidate, report, origin, signer, trust, now)
            manifest = _manifest(staging, candidate, report, store, sequence, created, until)
            digest = _sign_manifest(staging, manifest, signer)
            staged = staging.rename(staging.with_name(hex_of(digest)))
            check_with_reference(
                staged / "adapter", staged / layout.ADAPTER_SIGNATURE, trust, signer.identity
            )
            expect = Expectation(release=digest, project=candidate.project)
            verify_release(staged, trust=trust, store=store, expect=expect).close()
            directory = _publish(staged, releases_dir)
    return _release(manifest, directory)


def find_release(releases_dir: Path, unit: str, report: str, *, trust: TrustRoot) -> Release | None:
    """The newest unexpired release of this unit under this gate report (its digest) and policy, or None.

    One by a signer that counts no more is none. Raises IntegrityError when the one that is found does not
    verify.
    """
    found: list[tuple[ReleaseManifest, Path]] = []
    under = (trust.policy.digest, *trust.policy.succeeds)
    for manifest, directory in _manifests(releases_dir):
        if (manifest.unit, manifest.gate_report) == (unit, report) and manifest.trust in under:
            found.append((manifest, directory))
    for _, directory in sorted(found, key=lambda each: -each[0].sequence):
        try:
            return _release(verify_manifest(directory, trust=trust), directory)
        except VerificationError as error:
            if error.reason not in SIGNER_COUNTS_NO_MORE:
                raise
    return None


def report_digest(report: GateReport) -> str:
    """Digest of a gate report: also the digest of `gate-report.json`."""
    return digest_json(report.model_dump(mode="json"))


def check_may_package(
    candidate: Candidate, report: GateReport, evidence: EvidenceSet, files: ReleaseFiles
) -> None:
    """Raises PromotionDenied or IntegrityError unless verdict, evidence and files are all about this unit."""
    if report.candidate != candidate.unit:
        raise PromotionDenied(
            f"the gate report is about unit {report.candidate}, not about {candidate.unit}",
            hint="validate this very candidate",
        )
    if report.verdict != Verdict.PASS or not report.results:
        raise PromotionDenied(f"verdict is {report.verdict}: {report.headline}", hint="nothing was packaged")
    for waiver in report.lapsed(datetime.now(UTC).date()):
        raise PromotionDenied(
            f"{waiver.owner}'s waiver for {waiver.gate} expired on {waiver.expires}", hint="validate again"
        )
    if (
        evidence.candidate != candidate.unit
        or digest_json(evidence.model_dump(mode="json")) != report.evidence
    ):
        raise IntegrityError("the evidence is not the one that the gate report judged")
    if report.requirements != candidate.requirements.digest:
        raise IntegrityError("the gate report was made under other security requirements")
    require_provenance(candidate)
    parts = (
        ("prompt", digest_json(dict(files.prompt)), candidate.prompt.digest),
        ("guard policy", digest_bytes(files.guard_yaml), candidate.guard),
        ("access policy", digest_bytes(files.access_yaml), candidate.access),
    )
    for name, got, expected in parts:
        if got != expected:
            raise IntegrityError(f"{name}: got {got}, the candidate names {expected}", hint="validate again")


def _manifests(releases_dir: Path) -> Iterator[tuple[ReleaseManifest, Path]]:
    """Readable, unexpired manifests, nothing verified; unreadable ones belong to nobody's candidate."""
    for directory in sorted(releases_dir.glob("[0-9a-f]*")):
        with contextlib.suppress(AssayError, OSError):
            manifest = parse_manifest((directory / layout.MANIFEST).read_bytes())
            check_expiry(manifest)
            yield manifest, directory


@contextlib.contextmanager
def _staging(releases_dir: Path, project: str) -> Iterator[Path]:
    with atomic.storage_errors(releases_dir):
        outer = Path(tempfile.mkdtemp(prefix=f".{project}.", suffix=".part", dir=releases_dir))
        try:
            (outer / "new").mkdir(mode=0o700)
            yield outer / "new"
        finally:
            shutil.rmtree(outer, ignore_errors=True)


def _write_parts(staging: Path, files: ReleaseFiles, adapter: Path) -> None:
    for name in tree_manifest(adapter):
        _write(staging, layout.ADAPTER + name, (adapter / name).read_bytes())
    _write(staging, layout.PROMPT, canonical_json(dict(files.prompt)))
    _write(staging, layout.GUARD, files.guard_yaml)
    _write(staging, layout.ACCESS, files.access_yaml)


def _sign_parts(
    staging: Path,
    candidate: Candidate,
    report: GateReport,
    origin: Origin,
    signer: Signer,
    trust: TrustRoot,
    now: datetime,
) -> None:
    adapter = staging / "adapter"
    subjects = {"unit": candidate.unit, "adapter": root_digest(tree_manifest(adapter))}
    bundles = {
        layout.ADAPTER_SIGNATURE: sign_adapter(adapter, signer, trust.policy.hashes[0]),
        **sign_statements(subjects, report, origin, signer),
    }
    bundles |= sign_summary(subjects, bundles, trust, signer, now)
    for name, bundle in bundles.items():
        _write(staging, name, bundle)


def _manifest(
    staging: Path,
    candidate: Candidate,
    report: GateReport,
    store: Store,
    sequence: int,
    created: str,
    expires: str | None,
) -> ReleaseManifest:
    base = candidate.base
    base_files = tree_manifest(store.tree_path(base.digest))
    if digest_manifest(base_files) != base.digest:
        raise IntegrityError(f"base {base.name}: its files in the store do not give {base.digest}")
    return ReleaseManifest(
        format=layout.FORMAT,
        project=candidate.project,
        sequence=sequence,
        unit=candidate.unit,
        base=BaseReference(base.name, base.digest, base.licence, base.source, base_files),
        adapter=candidate.adapter.digest,
        prompt=candidate.prompt.digest,
        guard=candidate.guard,
        access=candidate.access,
        config=candidate.config,
        requirements=candidate.requirements.digest,
        dataset=candidate.dataset.digest,
        gate_report=report_digest(report),
        trust=digest_file(staging / layout.TRUST),
        verdict=report.verdict.value,
        files=tree_manifest(staging),
        created=created,
        expires=expires,
    )


def _sign_manifest(staging: Path, manifest: ReleaseManifest, signer: Signer) -> str:
    data = manifest.to_bytes()
    parse_manifest(data)
    signed = statement(
        {layout.MANIFEST: digest_bytes(data)}, layout.PREDICATE_TYPE, {"format": layout.FORMAT}
    )
    _write(staging, layout.MANIFEST, data)
    _write(staging, layout.BUNDLE, signer.sign(signed))
    return manifest.digest


def _publish(staged: Path, releases_dir: Path) -> Path:
    atomic.sync_tree(staged)
    directory = releases_dir / staged.name
    os.rename(staged, directory)
    atomic.sync_directory(releases_dir)
    return directory


def _release(manifest: ReleaseManifest, directory: Path) -> Release:
    return Release(
        digest=PREFIX + directory.name,
        project=manifest.project,
        unit=manifest.unit,
        sequence=manifest.sequence,
        directory=str(directory),
    )


def _canonical(record: Record) -> bytes:
    return canonical_json(record.model_dump(mode="json"))


def _write(staging: Path, name: str, data: bytes) -> None:
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(data)
    path.chmod(0o400)
