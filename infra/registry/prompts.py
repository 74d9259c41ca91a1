"""Versions of a prompt by digest: the registry shows the turns, slots unfilled, and the settings.

publish(client, definition, digest)                  # 3; the same digest again gives the same version
digest_by_alias(client, "triage", "champion")        # "sha256:…", None when there is no such alias
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra.digest import canonical_json
from infra.errors import IntegrityError
from infra.registry.aliases import collisions_ignored
from infra.tracking.client import SHA256_TAG
from infra.tracking.runs import MOST_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEFINITION_TAG = "prompt.definition"
_MODEL_CONFIG = {"temperature": "temperature", "top_p": "top_p", "max_new_tokens": "max_tokens"}
_MOST_VERSIONS = 10_000


def publish(client: "MlflowClient", definition: Mapping[str, Any], digest: str) -> int:
    """The version of a prompt with this digest, registered when there is none."""
    name, turns = prompt_name(definition["name"]), _turns(definition)
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


def prompt_name(name: str) -> str:
    """The name under which a prompt is registered: models and prompts share names."""
    return f"{name}.prompt"


def digest_by_alias(client: "MlflowClient", prompt: str, alias: str) -> str | None:
    """Digest of the prompt version under an alias; '' for one without a digest, None when it is absent."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_prompt_version_by_alias(prompt_name(prompt), alias).tags.get(SHA256_TAG, ""))
    except MlflowException as error:
        # An unknown alias is an invalid parameter, an unknown prompt does not exist.
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def point(client: "MlflowClient", *, prompt: str, alias: str, digest: str | None) -> None:
    """Point an alias at the version of a digest, or take it away; raises IntegrityError."""
    name = prompt_name(prompt)
    if digest is None:
        client.delete_prompt_alias(name, alias)
        return
    known = [each for each in _prompt_versions(client, name) if each.tags.get(SHA256_TAG) == digest]
    if not known:
        raise IntegrityError(
            f"registry has no version for prompt {digest}", hint="`assay doctor --repair` publishes it"
        )
    with collisions_ignored():
        client.set_prompt_alias(name, alias, min(int(each.version) for each in known))


def _turns(definition: Mapping[str, Any]) -> list[dict[str, str]]:
    """The conversation with its slots: system, solved examples, question."""
    turns = [{"role": "system", "content": definition["system"]}]
    for example in definition.get("examples", ()):
        turns.append({"role": "user", "content": example["text"]})
        turns.append({"role": "assistant", "content": example["label"]})
    return [*turns, {"role": "user", "content": definition["user"]}]


def _prompt_versions(client: "MlflowClient", name: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return list(client.search_prompt_versions(name, max_results=_MOST_VERSIONS))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return []
