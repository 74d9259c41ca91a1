"""Dotted names of settings: known without a project, so that a typo is found when a file is read."""

import pytest

from infra.config.lookup import is_setting


@pytest.mark.parametrize("name", ["name", "training", "training.seed", "data.split.seed"])
def test_what_a_project_can_have(name: str) -> None:
    assert is_setting(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "training.", "training.sead", "training.seed.more", "name.upper", "data..seed"],
)
def test_what_no_project_can_have(name: str) -> None:
    assert not is_setting(name)
