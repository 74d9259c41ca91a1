"""The data card: what it says, and what must not break its Markdown."""

import yaml

from tasks.develop.datacard import card_markdown, make_data_card
from tasks.develop.datacard.limits import known_limits
from tests.unit.tasks.develop.quality.samples import SOME, dataset, project, report

HEADINGS = (
    "What it is",
    "Origin and licence",
    "Intended use",
    "Composition",
    "Preparation",
    "Splits",
    "Personal data",
    "Known limits",
    "Digests",
)


def markdown(**changes: object) -> str:
    return card_markdown(make_data_card(dataset(**changes), project()))  # type: ignore[arg-type]  # named fields


def test_every_part_is_there_with_its_counts() -> None:
    card = markdown()
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == list(HEADINGS)
    assert "| duplicates | 23 | 18 | duplicate 5 | none |" in card
    assert "| a | 5 | 2 | 2 |" in card
    assert "email redacted 3" in card
    assert SOME in card


def test_its_head_is_yaml_that_data_set_hubs_read() -> None:
    front = yaml.safe_load(markdown(licence="x: [y").split("---")[1])
    assert front["license_name"] == "x: [y"
    assert front["size_categories"] == ["n<1K"]
    assert front["task_categories"] == ["text-classification"]


def test_text_from_outside_has_no_meaning_to_markdown() -> None:
    card = markdown(notice="# big\n| a | <b>x</b> [click](http://x) `code` *bold*", source="a|b")
    assert "\n# big" not in card
    assert "<b>" not in card
    assert "\\[click\\](http" in card
    assert "a\\|b" in card


def test_a_failed_check_is_among_the_limits() -> None:
    failed = report(passed=False, failed=("test: no row has label 'b'",))
    assert "The quality check failed: test: no row has label 'b'." in known_limits(
        dataset(failed), project().data
    )
    assert "did not pass its quality check" in markdown(quality=failed)


def test_limits_follow_the_counts() -> None:
    limits = " ".join(known_limits(dataset(), project().data))
    assert "Fewer than 50 training rows: a, b." in limits
    assert "1 of 8 evaluation rows share 8 words in a row or more with training." in limits
    assert "Languages were not filtered" in limits
    assert "4 test rows tell an accuracy to within" in limits
    assert "Overlap of evaluation and training rows was not measured." in known_limits(
        dataset(report(overlap=None)), project().data
    )


def test_what_is_done_with_personal_data_is_said() -> None:
    card = card_markdown(make_data_card(dataset(), project(pii_action="flag", pii_engine="presidio")))
    assert "counted and stay in the texts" in card
    assert "looked for by a language model" in card
    assert "2 rows look as if they held some" in card
