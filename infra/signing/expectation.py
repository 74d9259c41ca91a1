"""What a caller knows about the release that it asks for, beyond its directory.

expect = Expectation(project="triage", at_least_sequence=7, restored=restored_release(entries, "triage"))
verify_release(directory, trust=trust, store=store, expect=expect)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.ledger import Entry, Kind
from infra.refusal import Reason, VerificationError
from infra.signing.manifest import ReleaseManifest


@dataclass(frozen=True)
class Expectation:
    """Conditions on a manifest; without any, every signed release of any project will do."""

    release: str | None = None
    """Digest of the release."""
    project: str | None = None
    at_least_sequence: int = 1
    """Sequence of the newest release that this caller has seen: an older one is a replay."""
    restored: frozenset[str] = frozenset()
    """Digests of releases that a recorded rollback put back: they may be older."""

    def check(self, manifest: ReleaseManifest) -> None:
        """Raises VerificationError when the manifest is not of the release that was asked for."""
        digest = manifest.digest
        if self.release is not None and digest != self.release:
            raise VerificationError(
                Reason.PRESENTED_AS_ANOTHER, f"this is release {digest}, presented as {self.release}"
            )
        if self.project is not None and manifest.project != self.project:
            raise VerificationError(
                Reason.PRESENTED_AS_ANOTHER,
                f"belongs to project {manifest.project!r}, not to {self.project!r}",
            )
        if manifest.sequence < self.at_least_sequence and digest not in self.restored:
            raise VerificationError(
                Reason.REPLAYED_SEQUENCE,
                f"got sequence {manifest.sequence}, expected {self.at_least_sequence} or more",
                hint="an older release comes back only by `assay release rollback`, which the ledger records",
            )


ANY_RELEASE = Expectation()


def restored_release(entries: Iterable[Entry], project: str) -> frozenset[str]:
    """The release that the last rollback put back, unless another was promoted since; at most one."""
    restored: frozenset[str] = frozenset()
    for entry in entries:
        if entry.project == project and entry.kind in (Kind.CHAMPION, Kind.ROLLED_BACK):
            target = entry.details.get("restores") if entry.kind == Kind.ROLLED_BACK else None
            restored = frozenset({target}) if isinstance(target, str) else frozenset()
    return restored
