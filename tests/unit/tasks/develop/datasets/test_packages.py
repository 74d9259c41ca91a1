"""The two data sets that ship inside installed packages."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from infra.config.data import DataSettings
from infra.errors import DataError
from infra.packages import one_file, package_notice, package_version
from tasks.develop.datasets.attack import TACTICS, read_attack, sentence
from tasks.develop.datasets.prepare import stages
from tasks.develop.datasets.rows import PackagedRows
from tasks.develop.datasets.sources import read_source
from tasks.develop.datasets.tables import map_here
from tasks.develop.datasets.weakness import CATEGORIES, read_weaknesses


@cache
def attack() -> PackagedRows:
    return read_attack(DataSettings(source="attack-stix", licence="ATT&CK"))


@cache
def weaknesses() -> PackagedRows:
    return read_weaknesses(DataSettings(source="cwe", licence="CWE"))


def test_a_package_that_is_absent_is_named() -> None:
    with pytest.raises(DataError, match="data package 'no-such-package' is not installed"):
        package_version("no-such-package")


def test_a_missing_licence_stops_the_reading() -> None:
    with pytest.raises(DataError, match="licence file GPL is missing"):
        package_notice("cwe2", "GPL")


def test_an_ambiguous_file_is_refused() -> None:
    with pytest.raises(DataError, match="expected one"):
        one_file("cwe2", "cwe2/*.py")


@pytest.mark.parametrize(("source", "reader"), [("attack-stix", read_attack), ("cwe", read_weaknesses)])
def test_an_unknown_label_names_the_nearest(source: str, reader: object) -> None:
    with pytest.raises(DataError, match=r"label '(impct|pointers)'") as caught:
        reader(  # type: ignore[operator]
            DataSettings(
                source=source, licence="x", labels=("impct" if source == "attack-stix" else "pointers",)
            )
        )
    assert caught.value.hint in ("did you mean 'impact'?", "did you mean 'pointer'?")


def test_attack_sentences_are_whole_and_carry_no_markup() -> None:
    found = attack()
    assert found.dropped["cut off by the source"] > 4000
    assert found.dropped["several tactics"] == 2275
    assert {row.label for row in found.rows} == set(TACTICS)
    for row in found.rows:
        assert not row.text.endswith("...")
        assert "(Citation:" not in row.text
        assert "](" not in row.text
    assert "ATT&CK data bundled in this package is Copyright © The MITRE Corporation" in found.notice


def test_a_description_becomes_a_sentence() -> None:
    raw = (
        "[APT1](https://attack.mitre.org/groups/G1) ran <code>net user</code> and `ipconfig`.(Citation: A 1) "
    )
    assert sentence(raw) == "APT1 ran net user and ipconfig."


def test_attack_splits_have_the_published_sizes_and_share_no_actor() -> None:
    data = DataSettings(source="attack-stix", licence="ATT&CK")
    table = read_source(data, Path()).table
    counts = {}
    for stage in stages(data):
        outcome = stage.run(table, map_here)
        counts[stage.name] = table.num_rows - outcome.table.num_rows
        table = outcome.table
        assert not outcome.changed.get("hidden characters removed")
    rows = table.to_pylist()
    assert Counter(row["label"] for row in rows if row["split"] == "test") == dict.fromkeys(TACTICS, 40)
    # Published: 1,622 / 210 / 440, with another order of actors and near duplicates left in.
    assert Counter(row["split"] for row in rows) == {"train": 1620, "validation": 219, "test": 440}
    assert (counts["pii"], counts["duplicates"], counts["near-duplicates"]) == (0, 54, 394)
    groups = {split: {row["group"] for row in rows if row["split"] == split} for split in ("train", "test")}
    assert not groups["train"] & groups["test"]


def test_labels_that_are_not_asked_for_are_left_out() -> None:
    found = read_attack(DataSettings(source="attack-stix", licence="x", labels=("impact", "execution")))
    assert {row.label for row in found.rows} == {"impact", "execution"}
    assert found.labels == ("impact", "execution")


def test_weakness_categories_are_populated_and_exclusive() -> None:
    found = weaknesses()
    count = Counter(row.label for row in found.rows)
    assert set(count) == set(CATEGORIES.values())
    assert min(count.values()) > 50
    assert len({row.text.casefold() for row in found.rows}) == len(found.rows)
    assert "MITRE hereby grants you" in found.notice
    assert "Copyright ©" in found.notice


def test_the_weakness_of_a_known_example() -> None:
    by_text = {row.text: row for row in weaknesses().rows}
    row = by_text["negative value (signed) causes pointer miscalculation"]
    assert (row.label, row.group) == ("pointer", "CVE-2010-2866")


def test_first_words_of_labels_differ() -> None:
    for labels in (TACTICS, tuple(CATEGORIES.values())):
        assert len({label.split("-")[0] for label in labels}) == len(labels)
