"""Which alias belongs to which prompt version, from the releases that the ledger names."""

from infra.digest import digest_json
from tasks.deploy.aliases import wanted_aliases, wanted_prompt_aliases

NEW = {"name": "triage", "system": "new"}
OLD = {"name": "triage", "system": "old"}
RENAMED = {"name": "sorting", "system": "new"}


def test_a_previous_release_that_is_none_any_more_keeps_no_alias() -> None:
    assert wanted_aliases("sha256:a", "sha256:b") == {"champion": "sha256:a", "previous": "sha256:b"}
    assert wanted_aliases("sha256:a", None) == {"champion": "sha256:a", "previous": None}


def test_champion_and_previous_are_two_versions_of_one_prompt() -> None:
    assert wanted_prompt_aliases({"champion": NEW, "previous": OLD}) == {
        "triage": {"champion": digest_json(NEW), "previous": digest_json(OLD)}
    }


def test_without_a_previous_release_its_alias_is_taken_away() -> None:
    assert wanted_prompt_aliases({"champion": NEW}) == {
        "triage": {"champion": digest_json(NEW), "previous": None}
    }


def test_a_renamed_prompt_takes_the_aliases_with_it() -> None:
    wanted = wanted_prompt_aliases({"champion": RENAMED, "previous": OLD}, ["triage", "older"])
    assert wanted == {
        "sorting": {"champion": digest_json(RENAMED), "previous": None},
        "triage": {"champion": None, "previous": digest_json(OLD)},
        "older": {"champion": None, "previous": None},
    }
