"""Prompts that an installation knows: files, what develop registered, what releases served.

definition = resolve(workspace, "champion")      # or a file, or the start of a digest
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.digest import digest_json, hex_of
from infra.errors import AssayError, DataError

if TYPE_CHECKING:
    from infra.workspace import Workspace

_FEWEST_DIGITS = 4


@dataclass(frozen=True)
class Known:
    """One definition and where it was found."""

    digest: str
    definition: dict[str, Any]
    origin: str

    @property
    def name(self) -> str:
        """What the prompt is called."""
        return str(self.definition["name"])


def labels_of(workspace: "Workspace") -> tuple[str, ...]:
    """The labels of the prepared data, or those that the project names; () before develop has run."""
    from tasks.records import Developed

    developed = workspace.handover.get("developed", Developed)
    return developed.dataset.labels if developed else workspace.project.data.labels


def prompt_files(workspace: "Workspace") -> list[Path]:
    """The project's prompt first, then the others beside it."""
    own = workspace.project.path(workspace.project.prompt, shipped=False)
    beside = sorted((workspace.project.root / "prompts").glob("*.yaml"))
    return list(dict.fromkeys([own, *beside]))


def known_prompts(workspace: "Workspace") -> list[Known]:
    """Every readable prompt: files (those without errors), develop's, and those of releases."""
    from tasks.develop.prompts import load_prompt
    from tasks.records import Developed

    found: list[Known] = []
    labels = labels_of(workspace)
    for file in prompt_files(workspace) if labels else ():
        try:
            prompt = load_prompt(file, labels)
        except AssayError:
            continue  # `lint` explains it
        found.append(Known(prompt.digest, prompt.definition, str(file)))
    developed = workspace.handover.get("developed", Developed)
    if developed:
        found.append(Known(developed.prompt.digest, developed.prompt.definition, "developed"))
    return found + _of_releases(workspace)


def resolve(workspace: "Workspace", target: str | None) -> Known:
    """The prompt in a file, under an alias, or with these first hex digits; None: the project's own.

    Raises DataError for none or several, ConfigError for a file with errors.
    """
    from tasks.develop.prompts import load_prompt

    file = Path(target) if target else workspace.project.path(workspace.project.prompt, shipped=False)
    if target is None or file.suffix in (".yaml", ".yml"):
        labels = labels_of(workspace)
        if not labels:
            raise DataError("the labels are not known yet", hint="assay run develop, or name data.labels")
        prompt = load_prompt(file, labels)
        return Known(prompt.digest, prompt.definition, str(file))
    digits = target.removeprefix("sha256:").lower()
    matches = {
        each.digest: each
        for each in known_prompts(workspace)
        if target in each.origin.split() or (len(digits) >= _FEWEST_DIGITS and _starts(each.digest, digits))
    }
    if len(matches) == 1:
        return next(iter(matches.values()))
    if not matches and len(digits) == 64:
        definition = _stored(workspace, digits)
        if definition is not None:
            return Known(f"sha256:{digits}", definition, "store")
    problem = f"{len(matches)} prompts start with" if matches else "unknown prompt"
    raise DataError(f"{problem} {target!r}", hint="see `assay prompt list`; files end in .yaml")


def _starts(digest: str, digits: str) -> bool:
    return hex_of(digest).startswith(digits)


def _of_releases(workspace: "Workspace") -> list[Known]:
    from tasks.deploy.aliases import prompt_of

    state = workspace.state()
    found = []
    for release in sorted(state.releases.values(), key=lambda each: each.seq):
        if not (workspace.releases / hex_of(release.release)).exists():
            continue  # a blocked candidate has no directory
        definition = prompt_of(workspace, release.release)
        alias = {state.champion: "champion", state.previous: "previous"}.get(release.release, release.state)
        found.append(Known(digest_json(definition), definition, f"{alias} {release.release[:19]}"))
    return found


def _stored(workspace: "Workspace", digits: str) -> dict[str, Any] | None:
    """A definition that develop put into the store: its canonical JSON has the prompt's digest."""
    try:
        definition = json.loads(workspace.store.get_bytes(f"sha256:{digits}"))
    except (AssayError, ValueError):
        return None
    return definition if isinstance(definition, dict) and "system" in definition else None
