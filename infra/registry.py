"""Models, prompts and aliases in MLflow's registry: references to digests, a projection of the ledger.

registry = Registry(url)
registry.publish_model("triage", release=release, uri="file:///…", tags={"unit": unit})
registry.project_aliases("triage", {"champion": release, "previous": None})
registry.aliases("triage")                     # {"champion": "sha256:…"}

MLflow's aliases have no compare-and-set and no history, so nothing here decides anything.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from infra.digest import hex_of
from infra.errors import IntegrityError, Unavailable
from infra.tracking.client import SHA256_TAG, experiment_of, http_status, mlflow_answers, open_client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

RELEASE_TAG, URI_TAG = "release.sha256", "release.uri"
_TRIES = 3
_MOST_VERSIONS = 10_000


class Registry:
    """The registry of one MLflow server; every method raises Unavailable when it does not answer."""

    def __init__(self, url: str) -> None:
        self.url = url

    def publish_model(
        self,
        project: str,
        *,
        release: str,
        uri: str,
        tags: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> str:
        """The version that stands for a release, made when there is none; no bytes are uploaded.

        `uri` says where the release lies. Raises IntegrityError when a version of this release points
        elsewhere in the model's own record.
        """
        hex_of(release)
        whole = {**(tags or {}), **{f"metric.{k}": f"{v:.6g}" for k, v in (metrics or {}).items()}}
        whole |= {RELEASE_TAG: release, URI_TAG: uri}
        with self._client() as client:
            _ensure_model(client, project)
            known = _version_of(client, project, release)
            if known is not None:
                for name, value in whole.items():
                    if known.tags.get(name) != value:
                        client.set_model_version_tag(project, known.version, name, value)
                return str(known.version)
            model = _logged_model(client, project, release, whole)
            version = client.create_model_version(
                project, source=f"models:/{model}", tags=whole, await_creation_for=0, model_id=model
            )
            return str(version.version)

    def publish_prompt(self, definition: Mapping[str, Any], digest: str) -> int:
        """The version of a prompt with this digest, registered when there is none.

        The registry shares names between models and prompts, so the prompt's ends in `.prompt`.
        """
        hex_of(digest)
        name = f"{definition['name']}.prompt"
        messages = [{"role": role, "content": definition[role]} for role in ("system", "user")]
        with self._client() as client:
            for known in _prompt_versions(client, name):
                if known.tags.get(SHA256_TAG) == digest:
                    return int(known.version)
            made = client.register_prompt(name, messages, commit_message=digest, tags={SHA256_TAG: digest})
            return int(made.version)

    def project_aliases(self, project: str, wanted: Mapping[str, str | None]) -> None:
        """Point aliases at releases (None: take the alias away), read back, repair.

        Aliases that `wanted` does not name are left alone. Raises IntegrityError for a release that was
        never published, Unavailable when the registry does not come to say what it was told.
        """
        for _ in range(_TRIES):
            differing = self.check(project, wanted)
            if not differing:
                return
            with self._client() as client:
                for alias in differing:
                    _point(client, project, alias, wanted[alias])
        if differing := self.check(project, wanted):
            raise Unavailable(
                f"registry does not keep its aliases: {', '.join(sorted(differing))}",
                hint="`assay doctor --repair` writes them again; the ledger is the truth",
            )

    def aliases(self, project: str) -> dict[str, str]:
        """`{alias: release digest}`; an alias of a version that is no release of ours maps to ''."""
        with self._client() as client:
            model = _model(client, project)
            if model is None:
                return {}
            found = {}
            for alias, number in model.aliases.items():
                version = client.get_model_version(project, str(number))
                found[str(alias)] = str(version.tags.get(RELEASE_TAG, ""))
            return found

    def check(self, project: str, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
        """Aliases that do not say what they should, with what they say (None: absent)."""
        found = self.aliases(project)
        return {alias: found.get(alias) for alias in wanted if found.get(alias) != wanted[alias]}

    @contextlib.contextmanager
    def _client(self) -> "Iterator[MlflowClient]":
        client = open_client(self.url)
        with mlflow_answers(self.url):
            yield client


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


def _point(client: "MlflowClient", project: str, alias: str, release: str | None) -> None:
    from mlflow.exceptions import MlflowException

    if release is None:
        client.delete_registered_model_alias(project, alias)
        return
    version = _version_of(client, project, release)
    if version is None:
        raise IntegrityError(
            f"registry has no version for release {release}", hint="`assay doctor --repair` publishes it"
        )
    try:
        client.set_registered_model_alias(project, alias, version.version)
    except MlflowException as error:
        # Two first writers of one alias collide in the database; the caller reads back and tries again.
        if http_status(error) != 400:
            raise


def _prompt_versions(client: "MlflowClient", name: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return list(client.search_prompt_versions(name, max_results=_MOST_VERSIONS))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return []
