"""The registry of one MLflow server: connects, and hands on to models, prompts and aliases.

Registry("http://127.0.0.1:5000").prompt_aliases("triage")       # {"champion": "sha256:…"}
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from infra.digest import hex_of
from infra.registry import models, prompts
from infra.registry.aliases import differing, keep
from infra.tracking.client import mlflow_answers, open_client

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIASES = ("champion", "previous")


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

        `uri` says where the release lies.
        """
        hex_of(release)
        whole = {**(tags or {}), **{f"metric.{k}": f"{v:.6g}" for k, v in (metrics or {}).items()}}
        whole |= {models.RELEASE_TAG: release, models.URI_TAG: uri}
        with self._client() as client:
            return models.publish(client, project, release, whole)

    def publish_prompt(self, definition: Mapping[str, Any], digest: str) -> int:
        """The version of a prompt with this digest, registered when there is none.

        The registry shows the turns, slots unfilled, and the settings; the whole definition is a tag, as
        far as tags reach. It shares names between models and prompts, so the prompt's ends in `.prompt`.
        """
        hex_of(digest)
        with self._client() as client:
            return prompts.publish(client, definition, digest)

    def project_aliases(self, project: str, wanted: Mapping[str, str | None]) -> None:
        """Point aliases at releases (None: take the alias away), read back, repair.

        Aliases that `wanted` does not name are left alone. Raises IntegrityError for a release that was
        never published, Unavailable when the registry does not come to say what it was told.
        """
        point = partial(models.point, project=project)
        keep(lambda: self.check(project, wanted), lambda found: self._write(point, found, wanted))

    def aliases(self, project: str) -> dict[str, str]:
        """`{alias: release digest}`; an alias of a version that is no release of ours maps to ''."""
        with self._client() as client:
            return models.releases_by_alias(client, project)

    def check(self, project: str, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
        """Aliases that do not say what they should, with what they say (None: absent)."""
        return differing(self.aliases(project), wanted)

    def project_prompt_aliases(self, name: str, wanted: Mapping[str, str | None]) -> None:
        """Point a prompt's aliases at its versions by digest, as `project_aliases` does for releases.

        Raises IntegrityError for a prompt that was never published, Unavailable.
        """
        point = partial(prompts.point, prompt=name)
        keep(lambda: self.check_prompt(name, wanted), lambda found: self._write(point, found, wanted))

    def prompt_aliases(self, name: str, aliases: Iterable[str] = ALIASES) -> dict[str, str]:
        """`{alias: prompt digest}` of those aliases that the prompt `name` has; {} for no such prompt."""
        with self._client() as client:
            found = {alias: prompts.digest_by_alias(client, name, alias) for alias in aliases}
        return {alias: digest for alias, digest in found.items() if digest is not None}

    def check_prompt(self, name: str, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
        """Aliases of a prompt that do not say what they should, with what they say (None: absent)."""
        return differing(self.prompt_aliases(name, wanted), wanted)

    def _write(
        self, point: Callable[..., None], aliases: Iterable[str], wanted: Mapping[str, str | None]
    ) -> None:
        with self._client() as client:
            for alias in aliases:
                point(client, alias=alias, digest=wanted[alias])

    @contextlib.contextmanager
    def _client(self) -> "Iterator[MlflowClient]":
        client = open_client(self.url)
        with mlflow_answers(self.url):
            yield client
