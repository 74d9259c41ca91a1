"""Word lists: what makes groups incomparable is refused with file and line."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.config.schema import main
from infra.errors import ConfigError
from tasks.validate.fairness.lists import FILES, fill, lists_digest, load_lists
from tasks.validate.fairness.schema import SCHEMA_FILE, lists_schema
from tests.unit.tasks.validate.fairness.samples import LISTS, changed, lists


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("names", "groups:", "group:", r"names.yaml:\d+: group: Extra inputs"),
        ("names", ", Laura Bennett", "", r"names.yaml:.*groups have \[5, 6\] names"),
        ("names", "Laura Bennett", "Emily Parker", r"name 'Emily Parker' is listed twice"),
        ("names", "{name} reported: {text}", "{name} reported it", r"expected \{text\} once"),
        ("names", "{name} reported: {text}", "He reported: {text}", "names no group"),
        ("names", "{name} reported: {text}", "{nam} reported: {text}", "no slots but"),
        ("names", "    female: [Emily", "    femal: [Emily", r"names.yaml:\d+: groups.Anglophone.femal"),
        ("gender", '    - "He reported: {text}"\n', "", r"groups have \[2, 3\] templates"),
        ("gender", "{female: she, male: he}", "{female: she}", "expected one word for each of female, male"),
        ("gender", "female: herself", "female: she", "'she' is listed twice for female"),
        ("places", "Russia: {country: Russia, demonym: Russian}", "Russia: {country: Russia}", "demonym"),
        ("places", "{country: North Korea,", "{country: Iran,", "country 'Iran' is listed twice"),
        ("varieties", "standard: standard", "standard: informal", "it cannot be a variety too"),
        ("varieties", "lower_first: true", "lower_first: maybe", r"varieties.yaml:\d+: varieties.informal"),
        ("varieties", "drop: [a, an, the]", "replace: {}", "set twice|changes nothing"),
    ],
)
def test_lists_that_do_not_compare_are_refused(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        load_lists(changed(tmp_path, name, old, new))
    assert f"{name}.yaml:" in refused.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    directory = changed(tmp_path, "names", "groups:", "groups:")
    (directory / "places.yaml").unlink()
    with pytest.raises(ConfigError, match=r"places\.yaml: no such file"):
        load_lists(directory)
    with pytest.raises(ConfigError, match=r"places\.yaml: no such file"):
        lists_digest(directory)


def test_any_changed_byte_is_another_digest(tmp_path: Path) -> None:
    assert lists_digest(changed(tmp_path, "names", "Laura Bennett", "Laura Burnett")) != lists().digest


def test_braces_in_a_text_stay_what_they_are() -> None:
    assert fill("{name} reported: {text}", {"name": "Li Na", "text": "{name} {text} {}"}) == (
        "Li Na reported: {name} {text} {}"
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("names", "groups:", "group:"),
        ("gender", "{female: she, male: he}", "{female: she, male: [he]}"),
        ("places", "Russia: {country: Russia, demonym: Russian}", "Russia: {country: Russia}"),
        ("varieties", "lower_first: true", "lower_frist: true"),
    ],
)
def test_the_schema_refuses_what_has_another_shape(tmp_path: Path, name: str, old: str, new: str) -> None:
    assert _misfits(changed(tmp_path, name, old, new) / f"{name}.yaml")


@pytest.mark.parametrize("name", FILES)
def test_shipped_lists_fit_the_schema(name: str) -> None:
    assert not _misfits(LISTS / f"{name}.yaml")


def test_schema_file_is_in_step_with_the_code() -> None:
    assert main(["--check"], schema=lists_schema, file=SCHEMA_FILE) == 0, "run: make schema"


def _misfits(file: Path) -> bool:
    return not Draft202012Validator(lists_schema()).is_valid(yaml.safe_load(file.read_text("utf-8")))
