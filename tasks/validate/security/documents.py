"""Provenance statement, ML-BOM and environment attestation: there, valid, about this adapter, not too old.

documents = read_documents(store, candidate)
document_findings(project, candidate, documents, now)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from infra.config import Project
from infra.digest import tree_manifest
from infra.errors import AssayError, IntegrityError
from infra.origin.mlbom import check_ml_bom, component_of, described_version
from infra.origin.slsa import adapter_subjects, check_statement, dependency_of
from infra.signing.documents import parse_object
from infra.signing.dsse import subjects_of
from infra.store import Store
from tasks.records import Candidate
from tasks.records.environment import EnvironmentAttestation
from tasks.validate.finding import Finding

_MOST_BYTES = 8 << 20
_CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(frozen=True)
class Documents:
    """What could be read, and why the rest could not."""

    statement: Mapping[str, Any] | None = None
    mlbom: Mapping[str, Any] | None = None
    environment: EnvironmentAttestation | None = None
    subjects: Mapping[str, str] = field(default_factory=dict)
    """The adapter as a statement about it must name it."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """By document: why it cannot be read."""


def read_documents(store: Store, candidate: Candidate) -> Documents:
    """The documents that the candidate names, from the store, by digest."""
    provenance, problems = candidate.provenance, dict[str, str]()
    if provenance is None:
        absent = "the candidate has no provenance"
        return Documents(problems=dict.fromkeys(("statement", "mlbom", "environment"), absent))

    def read(name: str, digest: str) -> dict[str, Any] | None:
        try:
            return parse_object(store.get_bytes(digest), name, most_bytes=_MOST_BYTES)
        except AssayError as error:
            problems[name] = error.message
            return None

    statement, mlbom = read("statement", provenance.statement), read("mlbom", provenance.mlbom)
    environment, subjects = None, dict[str, str]()
    if (attested := read("environment", provenance.environment)) is not None:
        try:
            environment = EnvironmentAttestation.model_validate(attested)
        except ValidationError as error:
            problems["environment"] = f"is malformed: {error.errors(include_url=False)[0]['msg']}"
    try:
        files = tree_manifest(store.open_tree(candidate.adapter.digest))
        subjects = adapter_subjects(candidate.adapter.digest, files)
    except AssayError as error:
        problems.setdefault("statement", error.message)
    return Documents(statement, mlbom, environment, subjects, problems)


def document_findings(
    project: Project, candidate: Candidate, documents: Documents, now: datetime
) -> tuple[Finding, ...]:
    """One finding for each document; pure."""
    most = timedelta(days=project.validation.max_evidence_age)
    checks: tuple[tuple[str, str, Callable[[], str]], ...] = (
        ("provenance statement", "statement", lambda: _statement(candidate, documents, now, most)),
        ("ML-BOM", "mlbom", lambda: _mlbom(candidate, documents, now, most)),
        (
            "environment attestation",
            "environment",
            lambda: _environment(project, candidate, documents, now, most),
        ),
    )
    return tuple(
        Finding(name=name, proofs={"documents": documents.problems.get(key) or _caught(check)})
        for name, key, check in checks
    )


def _caught(check: Callable[[], str]) -> str:
    try:
        return check()
    except AssayError as error:
        return error.message


def _statement(candidate: Candidate, documents: Documents, now: datetime, most: timedelta) -> str:
    content = dict(documents.statement or {})
    check_statement(content)
    about = (
        ("adapter", subjects_of(content, "provenance statement"), dict(documents.subjects)),
        ("base", dependency_of(content, "base"), candidate.base.digest),
        ("dataset", dependency_of(content, "dataset"), candidate.dataset.digest),
        ("prompt", dependency_of(content, "prompt"), candidate.prompt.digest),
        ("code", dependency_of(content, "code"), candidate.adapter.code),
    )
    finished = content["predicate"]["runDetails"]["metadata"]["finishedOn"]
    return _other(about) or _age(finished, now, most)


def _mlbom(candidate: Candidate, documents: Documents, now: datetime, most: timedelta) -> str:
    document = dict(documents.mlbom or {})
    check_ml_bom(document)
    named = {part: component_of(document, part) or {} for part in ("base", "dataset", "prompt")}
    about = (
        ("adapter", described_version(document), candidate.adapter.digest),
        ("base", named["base"].get("version"), candidate.base.digest),
        ("dataset", named["dataset"].get("version"), candidate.dataset.digest),
        ("prompt", named["prompt"].get("version"), candidate.prompt.digest),
    )
    return _other(about) or _age(document["metadata"].get("timestamp"), now, most)


def _environment(
    project: Project, candidate: Candidate, documents: Documents, now: datetime, most: timedelta
) -> str:
    attested, settings = documents.environment, project.environment
    provenance = candidate.provenance
    if attested is None or provenance is None:
        raise IntegrityError("there is no attestation")
    about = (
        ("adapter's attestation", provenance.environment, candidate.adapter.environment),
        ("base", attested.base, candidate.base.digest),
    )
    asked = (
        (bool(attested.offline), "nothing shows that it was offline"),
        (settings.unnamed_secrets == "report" or not attested.unnamed_secrets, "it held unnamed secrets"),
        (not settings.require_lock or attested.lock is not None, "it had no lock"),
        (not settings.require_clean or attested.dirty is False, "its code differed from the commit"),
    )
    broken = next((reason for holds, reason in asked if not holds), "")
    return _other(about) or broken or _age(attested.time, now, most)


def _other(about: tuple[tuple[str, object, object], ...]) -> str:
    return next(
        (
            f"is about another {name}: got {_short(got)}, expected {_short(expected)}"
            for name, got, expected in about
            if got != expected
        ),
        "",
    )


def _short(value: object) -> str:
    return "other files" if isinstance(value, dict) else str(value)[:19]


def _age(text: object, now: datetime, most: timedelta) -> str:
    """Why a document of that time does not count; it must name its time zone."""
    try:
        made = datetime.fromisoformat(str(text))
        age = now.astimezone(UTC) - made
    except (ValueError, TypeError):
        return f"its time is not one: {text!r}"
    if age > most:
        return f"is {age.days} days old, at most {most.days} count"
    return f"is from the future: {text}" if age < -_CLOCKS_DIFFER else ""
