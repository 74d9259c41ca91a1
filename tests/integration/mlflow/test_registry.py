"""Models, prompts and aliases against a real MLflow server."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.digest import digest_bytes
from infra.errors import IntegrityError, Unavailable
from infra.registry import RELEASE_TAG, Registry
from infra.tracking.client import open_client
from tests.integration.mlflow.conftest import free_port

ONE, TWO, THREE = (digest_bytes(name) for name in (b"one", b"two", b"three"))
PROMPT = {"name": "triage", "system": "One of {{labels}}.", "user": "{{text}}", "labels": ["a", "b"]}


def publish(registry: Registry, project: str, release: str) -> str:
    return registry.publish_model(
        project,
        release=release,
        uri=f"file:///releases/{release[7:]}",
        tags={"unit": THREE},
        metrics={"accuracy": 0.87},
    )


def test_an_alias_for_an_unpublished_release_is_refused(server: str) -> None:
    registry = Registry(server)
    publish(registry, "unpublished", ONE)
    with pytest.raises(IntegrityError, match=f"no version for release {TWO}"):
        registry.project_aliases("unpublished", {"champion": TWO})
    assert registry.aliases("unpublished") == {}


def test_no_server_is_unavailable() -> None:
    registry = Registry(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        registry.aliases("triage")


def test_what_is_no_digest_is_refused_before_anything_is_made(server: str) -> None:
    with pytest.raises(IntegrityError, match="not a digest"):
        publish(Registry(server), "nodigest", "latest")
    assert Registry(server).aliases("nodigest") == {}


def test_a_release_is_published_once(server: str) -> None:
    registry = Registry(server)
    first = publish(registry, "once", ONE)
    assert publish(registry, "once", ONE) == first
    assert publish(registry, "once", TWO) != first
    client = open_client(server)
    version = client.get_model_version("once", first)
    assert version.tags[RELEASE_TAG] == ONE
    assert version.tags["release.uri"] == f"file:///releases/{ONE[7:]}"
    assert version.tags["metric.accuracy"] == "0.87"
    model = client.get_logged_model(version.source.removeprefix("models:/"))
    assert model.tags["unit"] == THREE
    assert model.status == "READY"


def test_a_release_whose_tags_were_altered_gets_them_back(server: str) -> None:
    registry = Registry(server)
    version = publish(registry, "altered", ONE)
    client = open_client(server)
    client.set_model_version_tag("altered", version, "unit", "sha256:forged")
    assert publish(registry, "altered", ONE) == version
    assert client.get_model_version("altered", version).tags["unit"] == THREE


def test_aliases_follow_are_read_back_and_repaired(server: str) -> None:
    registry = Registry(server)
    for release in (ONE, TWO):
        publish(registry, "moves", release)
    registry.project_aliases("moves", {"champion": ONE})
    registry.project_aliases("moves", {"champion": TWO, "previous": ONE})
    assert registry.aliases("moves") == {"champion": TWO, "previous": ONE}
    client = open_client(server)
    client.set_registered_model_alias("moves", "champion", "1")
    client.delete_registered_model_alias("moves", "previous")
    assert registry.check("moves", {"champion": TWO, "previous": ONE}) == {"champion": ONE, "previous": None}
    registry.project_aliases("moves", {"champion": TWO, "previous": ONE})
    assert registry.aliases("moves") == {"champion": TWO, "previous": ONE}
    registry.project_aliases("moves", {"champion": TWO, "previous": None})
    assert registry.aliases("moves") == {"champion": TWO}


def test_an_alias_of_a_foreign_version_is_no_release(server: str) -> None:
    registry = Registry(server)
    publish(registry, "foreign", ONE)
    client = open_client(server)
    client.create_model_version("foreign", source="s3://bucket/other", await_creation_for=0)
    client.set_registered_model_alias("foreign", "champion", "2")
    assert registry.aliases("foreign") == {"champion": ""}
    registry.project_aliases("foreign", {"champion": ONE})
    assert registry.aliases("foreign") == {"champion": ONE}


def test_many_writers_agree(server: str) -> None:
    registry = Registry(server)

    def deploy(_: int) -> None:
        publish(registry, "crowd", ONE)
        registry.project_aliases("crowd", {"champion": ONE})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deploy, range(8)))
    assert registry.aliases("crowd") == {"champion": ONE}


def test_a_prompt_is_published_once_by_its_digest(server: str) -> None:
    registry = Registry(server)
    first = registry.publish_prompt(PROMPT, ONE)
    assert registry.publish_prompt(PROMPT, ONE) == first
    second = registry.publish_prompt({**PROMPT, "system": "Choose from {{labels}}."}, TWO)
    assert second == first + 1
    assert registry.publish_prompt(PROMPT, ONE) == first
    loaded = open_client(server).get_prompt_version("triage.prompt", str(second))
    assert loaded.tags["sha256"] == TWO
    publish(registry, "triage", ONE)  # model and prompt of one project do not take each other's name


def test_examples_and_settings_of_a_prompt_are_another_version(server: str) -> None:
    registry = Registry(server)
    plain = {**PROMPT, "name": "shots"}
    shown = {
        **plain,
        "examples": [{"text": "Hosts were encrypted.", "label": "a"}],
        "settings": {"max_new_tokens": 8},
    }
    first, second = registry.publish_prompt(plain, ONE), registry.publish_prompt(shown, TWO)
    assert (first, second) == (1, 2)
    assert registry.publish_prompt(shown, TWO) == second
    loaded = open_client(server).get_prompt_version("shots.prompt", str(second))
    assert [turn["role"] for turn in loaded.template] == ["system", "user", "assistant", "user"]
    assert json.loads(loaded.tags["prompt.definition"]) == shown
    assert loaded.model_config == {"max_tokens": 8}


def test_a_forged_digest_tag_does_not_pass_for_the_prompt(server: str) -> None:
    registry = Registry(server)
    registry.publish_prompt({**PROMPT, "name": "forged", "system": "Say yes. {{labels}}"}, ONE)
    open_client(server).set_prompt_version_tag("forged.prompt", "1", "sha256", TWO)
    assert registry.publish_prompt({**PROMPT, "name": "forged"}, TWO) == 2


def test_prompt_aliases_follow_are_read_back_and_repaired(server: str) -> None:
    registry = Registry(server)
    for system, digest in (("One of {{labels}}.", ONE), ("Choose from {{labels}}.", TWO)):
        registry.publish_prompt({**PROMPT, "name": "aliased", "system": system}, digest)
    assert registry.prompt_aliases("never-seen") == {}
    with pytest.raises(IntegrityError, match=f"no version for prompt {THREE}"):
        registry.project_prompt_aliases("aliased", {"champion": THREE})
    wanted = {"champion": TWO, "previous": ONE}
    registry.project_prompt_aliases("aliased", wanted)
    assert registry.prompt_aliases("aliased") == wanted
    open_client(server).set_prompt_alias("aliased.prompt", "champion", 1)
    assert registry.check_prompt("aliased", wanted) == {"champion": ONE}
    registry.project_prompt_aliases("aliased", wanted)
    registry.project_prompt_aliases("aliased", {"champion": TWO, "previous": None})
    assert registry.prompt_aliases("aliased") == {"champion": TWO}
