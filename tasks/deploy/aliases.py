"""The registry's aliases as a projection of the ledger: written after it, read back, repairable.

move_aliases(workspace, served)                    # of the model, and of the prompts that releases hold
check_aliases(workspace, state)                    # raises IntegrityError when they say something else
"""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from infra.digest import digest_json, hex_of
from infra.errors import IntegrityError
from infra.ledger import ProjectState
from infra.signing import read_part, recorded_manifest
from infra.signing.manifest import PROMPT
from infra.stack import endpoints
from infra.workspace import Workspace
from tasks.records import Rollout

if TYPE_CHECKING:
    from infra.registry import Registry

_NO_ALIASES: dict[str, str | None] = {"champion": None, "previous": None}


def wanted_aliases(release: str, previous: str | None) -> dict[str, str | None]:
    """Which alias names which release; None takes it away: one in quarantine keeps none."""
    return {"champion": release, "previous": previous}


def wanted_prompt_aliases(
    served: Mapping[str, Mapping[str, Any]], others: Iterable[str] = ()
) -> dict[str, dict[str, str | None]]:
    """`{prompt name: {alias: digest or None}}` for the definitions served under each alias.

    None takes an alias away: from a prompt under another name (`others`: all that were ever served), and
    `previous` where there is no previous release.
    """
    names = dict.fromkeys([*(str(each["name"]) for each in served.values()), *others])
    wanted: dict[str, dict[str, str | None]] = {name: {"champion": None, "previous": None} for name in names}
    for alias, definition in served.items():
        wanted[str(definition["name"])][alias] = digest_json(dict(definition))
    return wanted


def move_aliases(workspace: Workspace, served: Rollout, tags: dict[str, str] | None = None) -> None:
    """Publish what is served by reference and point the aliases at it; raises Unavailable, IntegrityError."""
    _publish(workspace, _registry(workspace), served.release, served.previous, tags or {})


def _registry(workspace: Workspace, mlflow_url: str | None = None) -> "Registry":
    from infra.registry import Registry

    return Registry(mlflow_url or endpoints(workspace.home).mlflow_url)


def _publish(
    workspace: Workspace, registry: "Registry", champion: str, previous: str | None, tags: dict[str, str]
) -> None:
    name = workspace.project.name
    wanted = wanted_aliases(champion, previous)
    named = {alias: release for alias, release in wanted.items() if release is not None}
    for release in dict.fromkeys(named.values()):
        registry.publish_model(
            name,
            release=release,
            uri=(workspace.releases / hex_of(release)).as_uri(),
            tags=tags if release == champion else {},
        )
    registry.project_aliases(name, wanted)
    prompts = {alias: prompt_of(workspace, release) for alias, release in named.items()}
    for definition in prompts.values():
        registry.publish_prompt(definition, digest_json(definition))
    for prompt, aliases in wanted_prompt_aliases(prompts, _prompt_names(workspace)).items():
        registry.project_prompt_aliases(prompt, aliases)


def follow_ledger(workspace: Workspace, mlflow_url: str | None = None) -> None:
    """Aliases for what the ledger says is served, or none where nothing is; raises as `move_aliases` does.

    `mlflow_url`: default, the server of the running stack.
    """
    state, registry = workspace.state(), _registry(workspace, mlflow_url)
    if state.champion is not None:
        _publish(workspace, registry, state.champion, state.previous, {})
        return
    registry.project_aliases(workspace.project.name, _NO_ALIASES)
    for prompt in _prompt_names(workspace):
        registry.project_prompt_aliases(prompt, _NO_ALIASES)


def check_aliases(workspace: Workspace, state: ProjectState, mlflow_url: str | None = None) -> str:
    """What the registry says, in a line; raises IntegrityError when the ledger says something else."""
    registry = _registry(workspace, mlflow_url)
    if state.champion is None:
        _compare("aliases", registry.check(workspace.project.name, _NO_ALIASES), _NO_ALIASES)
        return "nothing is served, no alias says otherwise"
    wanted = wanted_aliases(state.champion, state.previous)
    _compare("aliases", registry.check(workspace.project.name, wanted), wanted)
    named = {alias: release for alias, release in wanted.items() if release is not None}
    prompts = {alias: prompt_of(workspace, release) for alias, release in named.items()}
    for prompt, aliases in wanted_prompt_aliases(prompts, _prompt_names(workspace)).items():
        _compare(f"aliases of prompt {prompt}", registry.check_prompt(prompt, aliases), aliases)
    champion = digest_json(prompts["champion"])
    releases = ", ".join(f"{alias}={release[:19]}" for alias, release in named.items())
    return f"{releases}, prompt {prompts['champion']['name']}={champion[:19]}"


def prompt_of(workspace: Workspace, release: str) -> dict[str, Any]:
    """The prompt definition of a release that the ledger names; raises IntegrityError for altered bytes."""
    directory = workspace.releases / hex_of(release)
    # Nothing is loaded here: the previous release keeps its alias when it has expired or its key is void.
    manifest = recorded_manifest(directory, release)
    return dict(json.loads(read_part(directory, manifest, PROMPT)))


def _prompt_names(workspace: Workspace) -> list[str]:
    """Names of all prompts that some release of the project served: none may keep an alias by accident."""
    names = []
    for release in workspace.state().releases:
        file = workspace.releases / hex_of(release) / PROMPT
        if file.exists():
            names.append(str(json.loads(file.read_bytes())["name"]))
    return names


def _compare(what: str, differing: Mapping[str, str | None], wanted: Mapping[str, str | None]) -> None:
    if differing:
        raise IntegrityError(
            f"{what} say {dict(differing)}, the ledger says {dict(wanted)}", hint="assay doctor --repair"
        )
