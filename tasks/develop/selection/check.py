"""Every configured base under the policy: licence, safe files, chat template, pinned digest; with reasons.

checks = check_candidates(project, store, project.home / "work", convert_gguf)
[check.name for check in checks if check.verdict == "accepted"]

A tree that is pinned and stored is not fetched or converted again, only hashed and checked again.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from infra import atomic
from infra.config.base import BaseCandidate
from infra.config.project import Project
from infra.errors import ConfigError, DataError, IntegrityError, Unavailable
from infra.models.convert import NotInstalled
from infra.store import Store
from tasks.develop.selection.fetch import Convert, fetch_files
from tasks.develop.selection.licence import licence_refusal
from tasks.develop.selection.weights import count_parameters
from tasks.records.selection import BaseCheck, BaseVerdict


class NotPinned(DataError):
    """Raised when a candidate's files are acceptable, but nobody said which files they must be."""


def check_candidates(
    project: Project, store: Store, work_dir: Path, convert: Convert
) -> tuple[BaseCheck, ...]:
    """One check for each candidate, in the order of preference; the files of accepted ones are stored.

    Raises IntegrityError when files do not have the pinned digest; and, when no candidate is accepted,
    ConfigError for a missing pin, Unavailable when the hub does not answer, otherwise DataError.
    """
    checks = tuple(
        check_candidate(each, project, store, work_dir, convert) for each in project.base.candidates
    )
    require_one(checks)
    return checks


def check_candidate(
    candidate: BaseCandidate, project: Project, store: Store, work_dir: Path, convert: Convert
) -> BaseCheck:
    """The verdict on one candidate; raises IntegrityError as `check_candidates`, and ConfigError."""
    try:
        if refusal := licence_refusal(candidate, project.base.allowed_licences, project.root):
            return _refused(candidate, "refused", refusal)
        digest, how = _accept(candidate, project, store, work_dir, convert)
    except NotInstalled as error:
        return _refused(candidate, "not installed", f"{error.message}: {error.hint}")
    except NotPinned as error:
        return _refused(candidate, "not pinned", f"{error.message}; {error.hint}")
    except Unavailable as error:
        return _refused(candidate, "unavailable", error.message)
    except DataError as error:
        return _refused(candidate, "refused", error.message)
    path = store.tree_path(digest)
    return BaseCheck(
        name=candidate.name,
        source=candidate.source,
        licence=candidate.licence,
        verdict="accepted",
        reasons=(f"licence {candidate.licence}, safe files, turns cannot be forged, {how}",),
        digest=digest,
        parameters=count_parameters(path),
        bytes=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
    )


def require_one(checks: Sequence[BaseCheck]) -> None:
    """Raises unless a candidate is accepted: ConfigError for a missing pin, Unavailable, or DataError."""
    if any(check.verdict == "accepted" for check in checks):
        return
    listed = "; ".join(f"{check.name}: {check.verdict}: {'; '.join(check.reasons)}" for check in checks)
    if any(check.verdict == "not pinned" for check in checks):
        raise ConfigError(f"no base model is pinned: {listed}", hint="review the files, then set the digest")
    if any(check.verdict == "unavailable" for check in checks):
        raise Unavailable(f"no base model can be fetched: {listed}", hint="check the network")
    raise DataError(
        f"no base model is acceptable: {listed}",
        hint="correct base.candidates, or base.allowed_licences if your lawyers agree",
    )


def _refused(candidate: BaseCandidate, verdict: BaseVerdict, reason: str) -> BaseCheck:
    return BaseCheck(
        name=candidate.name,
        source=candidate.source,
        licence=candidate.licence,
        verdict=verdict,
        reasons=(reason,),
    )


def _accept(
    candidate: BaseCandidate, project: Project, store: Store, work_dir: Path, convert: Convert
) -> tuple[str, str]:
    """Digest of the stored, checked files and how it came to be; raises as `check_candidates`."""
    if candidate.digest is not None and store.has_tree(candidate.digest):
        _check_files(store.open_tree(candidate.digest))
        return candidate.digest, "pinned digest, already stored"
    work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=f"base-{candidate.name}-", dir=work_dir) as staging:
        files = Path(staging) / "files"
        fetch_files(candidate.source, files, root=project.root, convert=convert)
        _add_template(candidate, project, files)
        _check_files(files)
        count_parameters(files)
        digest = store.put_tree(files)
    if candidate.digest is None:
        raise NotPinned(
            f"its files have the digest {digest}",
            hint=f"review them, then set `digest: {digest}` in its entry of base.candidates",
        )
    if digest != candidate.digest:
        raise IntegrityError(
            f"base model {candidate.name!r}: got files {digest}, expected the pinned {candidate.digest}",
            hint="the source changed or was altered: review it before you change the pin",
        )
    store.open_tree(digest)
    return digest, "pinned digest"


def _add_template(candidate: BaseCandidate, project: Project, files: Path) -> None:
    from infra.models.template import read_template

    if candidate.chat_template is None:
        return
    if read_template(files) is not None:
        raise DataError("it has a chat template of its own: remove `chat_template`")
    source = project.path(candidate.chat_template)
    try:
        text = source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"base.candidates: {candidate.name}: chat_template: {source}: {error}") from error
    atomic.write_text(files / "chat_template.jinja", text)


def _check_files(files: Path) -> None:
    """Raises DataError for unsafe files, with what picklescan says about those that could run code."""
    from infra.models.safety import check_base_files
    from infra.models.second_opinion import second_opinion
    from infra.models.template import check_chat_template

    try:
        check_base_files(files)
    except DataError as error:
        opinions = second_opinion(files)
        raise DataError("; ".join((error.message, *opinions)), error.hint) from error
    check_chat_template(files)
