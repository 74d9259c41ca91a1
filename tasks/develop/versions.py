"""Prepared versions of the data, found again by digest: for `show` and `diff`, also months later.

dataset = prepare(workspace)                     # as the flow does, kept for the next run, and remembered
find_version(workspace, "3fa9").dataset          # by the start of its digest; "latest" for the last one
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import Field, JsonValue, ValidationError

from infra.config import Project
from infra.config.data import DataSettings
from infra.digest import hex_of
from infra.errors import DataError
from infra.handover import Shelf
from infra.locks import hold
from infra.workspace import Workspace
from tasks.develop.datasets import prepare_dataset
from tasks.records import DatasetVersion, Record
from tasks.records.data import StageReport

if TYPE_CHECKING:
    from tasks.develop.datasets.tables import ChunkMap

STORE_LOCK = "store"
"""Shared by whoever writes tables into the store, held alone by whoever removes some."""
_CLEANING_S = 60.0


class PreparedVersion(Record):
    """A data set as it was prepared, with the settings that made it."""

    dataset: DatasetVersion
    settings: dict[str, JsonValue] = Field(description="the project's `data:` settings")
    project: str = Field(description="title of the project")
    prepared: str = Field(description="when it was last prepared, ISO 8601 in UTC")


def prepare(
    workspace: Workspace,
    *,
    map_chunks: "ChunkMap | None" = None,
    watch: Callable[[StageReport], None] | None = None,
) -> DatasetVersion:
    """Prepare the project's data, reusing finished stages, and remember the version.

    Does not raise for data that fail their quality check (see `require_quality`); raises what
    `prepare_dataset` raises, and Unavailable while the store is cleaned.
    """
    from tasks.develop.datasets.tables import map_here

    # Until the version is remembered, nothing may say that its tables are in use.
    with hold(workspace.run, STORE_LOCK, "preparation of data", wait_s=_CLEANING_S, shared=True):
        dataset = prepare_dataset(
            workspace.project,
            workspace.store,
            workspace.steps,
            map_chunks=map_chunks or map_here,
            watch=watch,
        )
        remember(workspace, dataset)
    return dataset


def remember(workspace: Workspace, dataset: DatasetVersion) -> None:
    """Keep the version in the index, as the latest one."""
    version = PreparedVersion(
        dataset=dataset,
        settings=workspace.project.data.model_dump(mode="json"),
        project=workspace.project.title,
        prepared=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    _shelf(workspace).put(hex_of(dataset.digest), version)


def versions(workspace: Workspace) -> list[PreparedVersion]:
    """All remembered versions of this project, oldest first; raises IntegrityError for an altered one."""
    shelf = _shelf(workspace)
    names = [file.stem for file in shelf.root.glob("*.json")] if shelf.root.is_dir() else []
    found = [version for name in names if (version := shelf.get(name, PreparedVersion)) is not None]
    return sorted(found, key=lambda version: version.prepared)


def find_version(workspace: Workspace, name: str) -> PreparedVersion:
    """The one version whose digest starts with these digits, or `latest`; raises DataError otherwise."""
    known = versions(workspace)
    if not known:
        raise DataError("no data set was prepared yet", hint="run `assay data prepare`")
    if name == "latest":
        return known[-1]
    digits = name.removeprefix("sha256:").lower()
    found = [version for version in known if digits and hex_of(version.dataset.digest).startswith(digits)]
    if len(found) != 1:
        problem = f"{len(found)} versions start with" if found else "no prepared version starts with"
        listed = ", ".join(hex_of(version.dataset.digest)[:12] for version in known[-5:])
        raise DataError(f"{problem} {name!r}", hint=f"latest versions: {listed}")
    return found[0]


def project_of(workspace: Workspace, version: PreparedVersion) -> Project:
    """The project with the data settings that made the version; raises DataError when they are not known."""
    try:
        data = DataSettings.model_validate(version.settings)
    except ValidationError as error:
        raise DataError(
            f"{version.dataset.digest} was prepared with settings that this release does not know",
            hint="prepare the data again",
        ) from error
    return workspace.project.model_copy(update={"data": data, "title": version.project})


def _shelf(workspace: Workspace) -> Shelf:
    return Shelf(workspace.home / "datasets" / workspace.project.name)
