"""The registry's aliases as a projection of the ledger: written after it, read back, repairable."""

from infra.digest import hex_of
from infra.stack import endpoints
from infra.workspace import Workspace
from tasks.records import Rollout


def wanted_aliases(release: str, previous: str | None) -> dict[str, str]:
    """Which alias names which release."""
    return {"champion": release, **({"previous": previous} if previous else {})}


def move_aliases(workspace: Workspace, served: Rollout, tags: dict[str, str] | None = None) -> None:
    """Publish what is served by reference and point the aliases at it; raises Unavailable."""
    from infra.registry import Registry

    registry = Registry(endpoints(workspace.home).mlflow_url)
    name = workspace.project.name
    wanted = wanted_aliases(served.release, served.previous)
    for release in dict.fromkeys(wanted.values()):
        registry.publish_model(
            name,
            release=release,
            uri=(workspace.releases / hex_of(release)).as_uri(),
            tags=(tags or {}) if release == served.release else {},
        )
    registry.project_aliases(name, wanted)
