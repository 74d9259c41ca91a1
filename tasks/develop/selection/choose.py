"""The first configured base model that licence, files and digest allow.

base = choose_base(project, store, project.home / "work", convert_gguf)
base.reasons        # one line for every candidate

Order in the configuration is preference. A tree that is pinned and stored is not fetched or converted
again, only hashed again.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.config.base import BaseCandidate
from infra.config.project import Project
from infra.errors import ConfigError, DataError, IntegrityError
from infra.store import FileStore
from tasks.develop.selection.fetch import Convert, fetch_files
from tasks.develop.selection.weights import count_parameters
from tasks.records import BaseModelVersion


@dataclass(frozen=True)
class Chosen:
    """An accepted candidate and its files in the store."""

    candidate: BaseCandidate
    digest: str
    path: Path
    how: str


def choose_base(project: Project, store: FileStore, work_dir: Path, convert: Convert) -> BaseModelVersion:
    """The chosen base model, its files verified in the store.

    Raises ConfigError for a missing pin (it says which digest to pin), IntegrityError when files do not
    have the pinned digest, Unavailable when the hub does not answer, DataError when every candidate is
    refused.
    """
    reasons: list[str] = []
    chosen: Chosen | None = None
    for candidate in project.base.candidates:
        if refusal := _licence_refusal(candidate, project.base.allowed_licences):
            reasons.append(f"{candidate.name}: refused: {refusal}")
        elif chosen is not None:
            reasons.append(f"{candidate.name}: not needed: {chosen.candidate.name} is preferred and accepted")
        else:
            try:
                chosen = _accept(candidate, project, store, work_dir, convert)
            except DataError as error:
                reasons.append(f"{candidate.name}: refused: {error.message}")
            else:
                reasons.append(f"{candidate.name}: accepted: {chosen.how}")
    if chosen is None:
        raise DataError(
            f"no base model is acceptable: {'; '.join(reasons)}",
            hint="correct base.candidates, or base.allowed_licences if your lawyers agree",
        )
    return BaseModelVersion(
        name=chosen.candidate.name,
        digest=chosen.digest,
        licence=chosen.candidate.licence,
        source=chosen.candidate.source,
        parameters=count_parameters(chosen.path),
        bytes=sum(file.stat().st_size for file in chosen.path.rglob("*") if file.is_file()),
        reasons=tuple(reasons),
    )


def _licence_refusal(candidate: BaseCandidate, allowed: tuple[str, ...]) -> str:
    # SPDX identifiers compare without case (SPDX specification, annex D).
    if candidate.licence.casefold() in {licence.casefold() for licence in allowed}:
        return ""
    return f"licence {candidate.licence} is not one of {', '.join(allowed) or 'none'}"


def _accept(
    candidate: BaseCandidate, project: Project, store: FileStore, work_dir: Path, convert: Convert
) -> Chosen:
    from infra.models.safety import check_model_files

    terms = f"licence {candidate.licence}, safe files"
    if candidate.digest is not None and store.has_tree(candidate.digest):
        path = store.open_tree(candidate.digest)
        check_model_files(path)
        return Chosen(candidate, candidate.digest, path, f"{terms}, pinned digest, already stored")
    work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=f"base-{candidate.name}-", dir=work_dir) as staging:
        files = Path(staging) / "files"
        fetch_files(candidate.source, files, root=project.root, convert=convert)
        check_model_files(files)
        count_parameters(files)
        digest = store.put_tree(files)
    if candidate.digest is None:
        raise ConfigError(
            f"base model {candidate.name!r} is not pinned: its files have digest {digest}",
            hint=f"review the files, then set `digest: {digest}` in its entry of base.candidates",
        )
    if digest != candidate.digest:
        raise IntegrityError(
            f"base model {candidate.name!r}: got files {digest}, expected the pinned {candidate.digest}",
            hint="the source changed or was altered: review it before you change the pin",
        )
    return Chosen(candidate, digest, store.open_tree(digest), f"{terms}, pinned digest")
