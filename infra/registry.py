"""Models, prompts and aliases in MLflow's registry: references to digests, a projection of the ledger.

registry = Registry(url)
registry.publish_model("triage", release=release, uri="file:///…", tags={"unit": unit})
registry.project_aliases("triage", {"champion": release, "previous": None})
registry.aliases("triage")                     # {"champion": "sha256:…"}

MLflow's aliases have no compare-and-set and no history, so nothing here decides anything.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from infra.digest import canonical_json, hex_of
from infra.errors import IntegrityError, Unavailable
from infra.tracking.client import SHA256_TAG, experiment_of, http_status, mlflow_answers, open_client
from infra.tracking.runs import MOST_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

RELEASE_TAG, URI_TAG, DEFINITION_TAG = "release.sha256", "release.uri", "prompt.definition"
ALIASES = ("champion", "previous")
_MODEL_CONFIG = {"temperature": "temperature", "top_p": "top_p", "max_new_tokens": "max_tokens"}
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

        The registry shows the turns, slots unfilled, and the settings; the whole definition is a tag, as
        far as tags reach. It shares names between models and prompts, so the prompt's ends in `.prompt`.
        """
        hex_of(digest)
        name, turns = prompt_name(definition), _turns(definition)
        with self._client() as client:
            for known in _prompt_versions(client, name):
                # Tags can be overwritten, the turns cannot: a version is what it says only when both agree.
                if known.tags.get(SHA256_TAG) == digest and known.template == turns:
                    return int(known.version)
            whole = canonical_json(dict(definition)).decode()
            tags = {SHA256_TAG: digest, **({DEFINITION_TAG: whole} if len(whole) <= MOST_TAG else {})}
            settings = definition.get("settings", {})
            made = client.register_prompt(
                name,
                turns,
                commit_message=digest,
                tags=tags,
                model_config={_MODEL_CONFIG[key]: value for key, value in settings.items()} or None,
            )
            return int(made.version)

    def project_prompt_aliases(self, name: str, wanted: Mapping[str, str | None]) -> None:
        """Point a prompt's aliases at its versions by digest, as `project_aliases` does for releases.

        Raises IntegrityError for a prompt that was never published, Unavailable.
        """
        self._keep(lambda: self.check_prompt(name, wanted), partial(_point_prompt, name=name), wanted)

    def prompt_aliases(self, name: str, aliases: Iterable[str] = ALIASES) -> dict[str, str]:
        """`{alias: prompt digest}` of those aliases that the prompt `name` has; {} for no such prompt."""
        with self._client() as client:
            found = {alias: _aliased(client, f"{name}.prompt", alias) for alias in aliases}
        return {alias: digest for alias, digest in found.items() if digest is not None}

    def check_prompt(self, name: str, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
        """Aliases of a prompt that do not say what they should, with what they say (None: absent)."""
        return _differing(self.prompt_aliases(name, wanted), wanted)

    def project_aliases(self, project: str, wanted: Mapping[str, str | None]) -> None:
        """Point aliases at releases (None: take the alias away), read back, repair.

        Aliases that `wanted` does not name are left alone. Raises IntegrityError for a release that was
        never published, Unavailable when the registry does not come to say what it was told.
        """
        self._keep(lambda: self.check(project, wanted), partial(_point, project=project), wanted)

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
        return _differing(self.aliases(project), wanted)

    def _keep(
        self,
        check: Callable[[], Mapping[str, str | None]],
        point: Callable[..., None],
        wanted: Mapping[str, str | None],
    ) -> None:
        """Write what differs and read it back, a few times."""
        for _ in range(_TRIES):
            differing = check()
            if not differing:
                return
            with self._client() as client:
                for alias in differing:
                    point(client, alias=alias, digest=wanted[alias])
        if differing := check():
            raise Unavailable(
                f"registry does not keep its aliases: {', '.join(sorted(differing))}",
                hint="`assay doctor --repair` writes them again; the ledger is the truth",
            )

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


def _differing(found: Mapping[str, str], wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    return {alias: found.get(alias) for alias in wanted if found.get(alias) != wanted[alias]}


def _point(client: "MlflowClient", *, project: str, alias: str, digest: str | None) -> None:
    if digest is None:
        client.delete_registered_model_alias(project, alias)
        return
    version = _version_of(client, project, digest)
    if version is None:
        raise IntegrityError(
            f"registry has no version for release {digest}", hint="`assay doctor --repair` publishes it"
        )
    with _collisions_ignored():
        client.set_registered_model_alias(project, alias, version.version)


def _point_prompt(client: "MlflowClient", *, name: str, alias: str, digest: str | None) -> None:
    if digest is None:
        client.delete_prompt_alias(f"{name}.prompt", alias)
        return
    known = [
        each for each in _prompt_versions(client, f"{name}.prompt") if each.tags.get(SHA256_TAG) == digest
    ]
    if not known:
        raise IntegrityError(
            f"registry has no version for prompt {digest}", hint="`assay doctor --repair` publishes it"
        )
    with _collisions_ignored():
        client.set_prompt_alias(f"{name}.prompt", alias, min(int(each.version) for each in known))


@contextlib.contextmanager
def _collisions_ignored() -> Iterator[None]:
    """Two first writers of one alias collide in the database; the caller reads back and tries again."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if http_status(error) != 400:
            raise


def prompt_name(definition: Mapping[str, Any]) -> str:
    """The name under which a prompt is registered."""
    return f"{definition['name']}.prompt"


def _turns(definition: Mapping[str, Any]) -> list[dict[str, str]]:
    """The conversation with its slots: system, solved examples, question."""
    turns = [{"role": "system", "content": definition["system"]}]
    for example in definition.get("examples", ()):
        turns.append({"role": "user", "content": example["text"]})
        turns.append({"role": "assistant", "content": example["label"]})
    return [*turns, {"role": "user", "content": definition["user"]}]


def _aliased(client: "MlflowClient", name: str, alias: str) -> str | None:
    """Digest of the prompt version under an alias; '' for one without a digest, None when it is absent."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_prompt_version_by_alias(name, alias).tags.get(SHA256_TAG, ""))
    except MlflowException as error:
        # An unknown alias is an invalid parameter, an unknown prompt does not exist.
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def _prompt_versions(client: "MlflowClient", name: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return list(client.search_prompt_versions(name, max_results=_MOST_VERSIONS))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return []
