"""The release manifest: everything that is served, by digest, in one canonical JSON document.

manifest = parse_manifest(data)          # strict; VerificationError otherwise
manifest.to_bytes(), manifest.digest     # the digest of these bytes is the release's id
"""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from infra.digest import canonical_json, digest_bytes, digest_manifest, hex_of
from infra.refusal import Reason, VerificationError
from infra.signing.documents import parse_object

FORMAT = "assay.release/v2"
PREDICATE_TYPE = "urn:assay:release:v2"
MANIFEST, BUNDLE = "release.json", "release.sigstore.json"
PROMPT, GUARD, ACCESS = "prompts/prompt.json", "guard/guard.yaml", "access/access.yaml"
ADAPTER = "adapter/"
ADAPTER_SIGNATURE = "adapter.sig"
GATE_REPORT = "gate-report.json"
TRUST = "trust.json"
"""The rules of the trust policy that the release was made under."""
MLBOM, REQUIREMENTS = "mlbom.cdx.json", "requirements.json"
ATTESTATIONS = "attestations/"
LIGHT = (PROMPT, GUARD, ACCESS)
"""Files that a gateway uses; `verify_manifest` checks these and not the weights."""
_PARTS = (
    ("prompt", PROMPT),
    ("guard", GUARD),
    ("access", ACCESS),
    ("gate_report", GATE_REPORT),
    ("trust", TRUST),
)
_MOST_FILES = 4096


@dataclass(frozen=True)
class BaseReference:
    """The base model, which lies in the store and not in the release; `files` lets a refusal name one."""

    name: str
    digest: str
    licence: str
    source: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class ReleaseManifest:
    """What a release is; every digest is `sha256:<hex>`, times are ISO 8601 in UTC."""

    format: str
    project: str
    sequence: int
    unit: str
    base: BaseReference
    adapter: str
    prompt: str
    guard: str
    access: str
    config: str
    requirements: str
    dataset: str
    gate_report: str
    trust: str
    verdict: str
    files: Mapping[str, str]
    """Every file of the release directory except release.json and release.sigstore.json."""
    created: str
    expires: str | None = None

    def to_bytes(self) -> bytes:
        """Canonical JSON: the content of release.json."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        base = {each.name: getattr(self.base, each.name) for each in fields(self.base)}
        base["files"] = dict(self.base.files)
        return canonical_json({**plain, "files": dict(self.files), "base": base})

    @property
    def digest(self) -> str:
        """The release's id."""
        return digest_bytes(self.to_bytes())

    def below(self, prefix: str) -> dict[str, str]:
        """`{name below prefix: digest}` of the files in one directory of the release."""
        return {
            name.removeprefix(prefix): digest
            for name, digest in self.files.items()
            if name.startswith(prefix)
        }


def parse_manifest(data: bytes) -> ReleaseManifest:
    """The manifest in these bytes; raises VerificationError unless they are canonical and consistent."""
    values = parse_object(data, MANIFEST)
    _check_fields(values, ReleaseManifest, MANIFEST)
    base = values["base"]
    if not isinstance(base, dict):
        raise VerificationError(Reason.MALFORMED, f"{MANIFEST}: base is malformed")
    _check_fields(base, BaseReference, f"{MANIFEST}: base")
    manifest = ReleaseManifest(**{**values, "base": BaseReference(**base)})
    _check_types(manifest)
    _check_bindings(manifest)
    if manifest.to_bytes() != data:
        raise VerificationError(Reason.MALFORMED, f"{MANIFEST}: not in canonical form")
    return manifest


def created_at(manifest: ReleaseManifest) -> datetime:
    """When the release says that it was made."""
    return _time(manifest.created, "created")


def check_expiry(manifest: ReleaseManifest, now: datetime | None = None) -> None:
    """Raises VerificationError when the release may no longer be served."""
    if manifest.expires is not None and (now or datetime.now(UTC)) >= _time(manifest.expires, "expires"):
        raise VerificationError(
            Reason.EXPIRED,
            f"{MANIFEST}: the release expired at {manifest.expires}",
            hint="run the lifecycle for a fresh one",
        )


def _check_fields(values: Mapping[str, Any], kind: type, name: str) -> None:
    expected = {each.name for each in fields(kind)}
    if set(values) != expected:
        raise VerificationError(
            Reason.MALFORMED, f"{name}: got fields {sorted(values)}, expected {sorted(expected)}"
        )


def _check_types(manifest: ReleaseManifest) -> None:
    base = manifest.base
    texts = (manifest.project, base.name, base.licence, base.source, manifest.created)
    if manifest.format != FORMAT:
        raise VerificationError(
            Reason.FORMAT_UNKNOWN, f"{MANIFEST}: got format {manifest.format!r}, expected {FORMAT!r}"
        )
    if not all(isinstance(text, str) and text for text in texts):
        raise VerificationError(Reason.MALFORMED, f"{MANIFEST}: project, base and created must be text")
    if type(manifest.sequence) is not int or manifest.sequence < 1:
        raise VerificationError(
            Reason.MALFORMED, f"{MANIFEST}: got sequence {manifest.sequence!r}, expected 1 or more"
        )
    names = (
        "unit",
        "adapter",
        "prompt",
        "guard",
        "access",
        "config",
        "requirements",
        "dataset",
        "gate_report",
        "trust",
    )
    for name in names:
        _check_digest(getattr(manifest, name), name)
    _check_digest(base.digest, "base.digest")
    for title, files in (("files", manifest.files), ("base.files", base.files)):
        if not isinstance(files, dict) or not 0 < len(files) <= _MOST_FILES:
            raise VerificationError(
                Reason.MALFORMED, f"{MANIFEST}: {title} must name 1 to {_MOST_FILES} files"
            )
        for name, digest in files.items():
            _check_name(name)
            _check_digest(digest, name)
        _check_distinct(files, title)
    _time(manifest.created, "created")
    if manifest.expires is not None:
        _time(manifest.expires, "expires")


def _check_bindings(manifest: ReleaseManifest) -> None:
    """The named parts are the very files of this release: none can be swapped alone."""
    if manifest.verdict != "pass":
        raise VerificationError(
            Reason.VERDICT_REFUSED, f"{MANIFEST}: got verdict {manifest.verdict!r}, expected 'pass'"
        )
    for field, file in _PARTS:
        if manifest.files.get(file) != getattr(manifest, field):
            raise VerificationError(
                Reason.BINDING_BROKEN, f"{file}: missing from {MANIFEST}, or not the {field} that it names"
            )
    if manifest.files.get(REQUIREMENTS, manifest.requirements) != manifest.requirements:
        raise VerificationError(
            Reason.BINDING_BROKEN, f"{REQUIREMENTS}: is not the requirements that {MANIFEST} names"
        )
    if ADAPTER_SIGNATURE not in manifest.files:
        raise VerificationError(Reason.BINDING_BROKEN, f"{ADAPTER_SIGNATURE}: missing from {MANIFEST}")
    if {MANIFEST, BUNDLE} & set(manifest.files):
        raise VerificationError(Reason.BINDING_BROKEN, f"{MANIFEST}: cannot hold its own digest")
    if digest_manifest(manifest.below(ADAPTER)) != manifest.adapter:
        raise VerificationError(
            Reason.BINDING_BROKEN, f"{ADAPTER}: its files in {MANIFEST} do not give the adapter's digest"
        )
    if digest_manifest(manifest.base.files) != manifest.base.digest:
        raise VerificationError(
            Reason.BINDING_BROKEN, f"base: its files in {MANIFEST} do not give the base's digest"
        )


def _check_digest(value: object, name: str) -> None:
    try:
        hex_of(value if isinstance(value, str) else "")
    except VerificationError as error:
        raise VerificationError(Reason.MALFORMED, f"{MANIFEST}: {name}: {error.message}") from error


def _check_name(name: str) -> None:
    parts = name.split("/")
    plain = name.isprintable() and "\\" not in name and unicodedata.normalize("NFC", name) == name
    if not plain or any(part in ("", ".", "..") for part in parts):
        raise VerificationError(
            Reason.NAME_INVALID, f"{MANIFEST}: {name!r} is not a plain relative file name in NFC"
        )
    if any(part.startswith(".git") for part in parts):
        raise VerificationError(Reason.GIT_METADATA, f"{MANIFEST}: {name}: git files do not belong here")


def _check_distinct(names: Collection[str], title: str) -> None:
    folded = {unicodedata.normalize("NFC", name.casefold()) for name in names}
    if len(folded) != len(names):
        raise VerificationError(
            Reason.NAME_COLLISION, f"{MANIFEST}: {title}: two file names differ only by case or Unicode form"
        )


def _time(text: object, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise VerificationError(
            Reason.MALFORMED, f"{MANIFEST}: {name}: got {text!r}, expected an ISO 8601 time"
        ) from error
    if moment.tzinfo is None:
        raise VerificationError(Reason.MALFORMED, f"{MANIFEST}: {name}: {text} has no time zone")
    return moment
