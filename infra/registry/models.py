"""Versions of a model: one for each release, which it names by digest and place; no bytes are uploaded.

publish(client, "triage", release, {"unit": unit, RELEASE_TAG: release, URI_TAG: uri})    # "3"
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra.digest import hex_of
from infra.errors import IntegrityError
from infra.registry.aliases import collisions_ignored
from infra.tracking.client import experiment_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

RELEASE_TAG, URI_TAG = "release.sha256", "release.uri"


def publish(client: "MlflowClient", project: str, release: str, tags: Mapping[str, str]) -> str:
    """The version that stands for a release, made when there is none, with these tags."""
    _ensure_model(client, project)
    known = _version_of(client, project, release)
    if known is not None:
        for name, value in tags.items():
            if known.tags.get(name) != value:
                client.set_model_version_tag(project, known.version, name, value)
        return str(known.version)
    model = _logged_model(client, project, release, tags)
    version = client.create_model_version(
        project, source=f"models:/{model}", tags=dict(tags), await_creation_for=0, model_id=model
    )
    return str(version.version)


def releases_by_alias(client: "MlflowClient", project: str) -> dict[str, str]:
    """`{alias: release digest}`; an alias of a version that is no release of ours maps to ''."""
    model = _model(client, project)
    if model is None:
        return {}
    found = {}
    for alias, number in model.aliases.items():
        version = client.get_model_version(project, str(number))
        found[str(alias)] = str(version.tags.get(RELEASE_TAG, ""))
    return found


def point(client: "MlflowClient", *, project: str, alias: str, digest: str | None) -> None:
    """Point an alias at the version of a release, or take it away; raises IntegrityError."""
    if digest is None:
        client.delete_registered_model_alias(project, alias)
        return
    version = _version_of(client, project, digest)
    if version is None:
        raise IntegrityError(
            f"registry has no version for release {digest}", hint="`assay doctor --repair` publishes it"
        )
    with collisions_ignored():
        client.set_registered_model_alias(project, alias, version.version)


def _ensure_model(client: "MlflowClient", project: str) -> None:
    from mlflow.exceptions import MlflowException

    if _model(client, project) is not None:
        return
    try:
        client.create_registered_model(project)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _model(client: "MlflowClient", project: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(project)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _version_of(client: "MlflowClient", project: str, release: str) -> "ModelVersion | None":
    """The oldest version that stands for this release: two writers at once agree on it afterwards."""
    found = client.search_model_versions(f"name = '{project}' and tags.`{RELEASE_TAG}` = '{release}'")
    return min(found, key=lambda version: int(version.version), default=None)


def _logged_model(client: "MlflowClient", project: str, release: str, tags: Mapping[str, str]) -> str:
    """The id of the LoggedModel of a release: metadata without files (an "external" model)."""
    experiment = experiment_of(client, project)
    known = client.search_logged_models([experiment], f"tags.`{RELEASE_TAG}` = '{release}'", max_results=1)
    if known:
        return str(known[0].model_id)
    model = client.create_logged_model(
        experiment, f"{project}-{hex_of(release)[:12]}", tags={**tags, "mlflow.model.isExternal": "true"}
    )
    client.finalize_logged_model(model.model_id, "READY")
    return str(model.model_id)
