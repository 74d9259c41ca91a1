"""Accuracy by group: fairlearn's figures, with intervals that few rows keep wide."""

import pytest

from infra.errors import DataError
from tasks.validate.fairness.answers import STOPPED
from tasks.validate.fairness.blocks import Block
from tasks.validate.fairness.quality import group_quality
from tests.unit.tasks.validate.fairness.samples import SETTINGS, blocks


def _answers(some: list[Block], wrong: dict[str, int], answer: str = "wrong") -> dict[str, str]:
    return {
        text: answer if block.row < wrong.get(group, 0) else "right"
        for block in some
        for group, text in block.texts.items()
    }


def test_no_comparison_is_no_evidence() -> None:
    with pytest.raises(DataError, match="no counterfactual texts"):
        group_quality([], {}, [], SETTINGS)


def test_the_gap_is_between_the_best_and_the_worst() -> None:
    some = blocks(40, "a", "b", "c")
    quality = group_quality(some, _answers(some, {"a": 4, "c": 20}), ["right"] * 40, SETTINGS)
    (gap,) = quality.gaps
    assert (gap.best, gap.worst, gap.n) == ("b", "c", 40)
    assert gap.difference == pytest.approx(0.5)
    assert gap.ratio == pytest.approx(0.5)
    assert 0.2 < gap.lower < 0.5 < gap.upper
    shares = {group.group: group.value for group in quality.groups if group.kind == "accuracy"}
    assert shares == {"a": pytest.approx(0.9), "b": 1.0, "c": pytest.approx(0.5)}
    verdicts = {group.group: group.verdict for group in quality.groups if group.kind == "accuracy"}
    assert verdicts["c"] == "different"


def test_equal_groups_on_few_rows_are_not_shown_to_be_equal() -> None:
    some = blocks(5, "a", "b")
    quality = group_quality(some, _answers(some, {}), ["right"] * 5, SETTINGS)
    assert (quality.gap.value, quality.gap.lower) == (0, 0)
    assert quality.gap.upper > 0.3
    assert {group.verdict for group in quality.groups if group.kind == "accuracy"} == {"undecided"}


def test_equal_groups_on_many_rows_are() -> None:
    some = blocks(200, "a", "b")
    quality = group_quality(some, _answers(some, {"a": 50, "b": 50}), ["right"] * 200, SETTINGS)
    assert quality.gap.upper < 0.05
    assert {group.verdict for group in quality.groups if group.kind == "accuracy"} == {"equivalent"}


def test_more_groups_need_wider_intervals() -> None:
    few, many = blocks(50, "a", "b"), blocks(50, *"abcdefgh")
    narrow = group_quality(few, _answers(few, {"a": 5}), ["right"] * 50, SETTINGS)
    wide = group_quality(many, _answers(many, {"a": 5}), ["right"] * 50, SETTINGS)
    assert wide.gap.upper > narrow.gap.upper


def test_who_is_stopped_is_counted_by_group() -> None:
    some = blocks(20, "a", "b")
    quality = group_quality(some, _answers(some, {"b": 5}, STOPPED + "rule"), ["right"] * 20, SETTINGS)
    stopped = {group.group: group.value for group in quality.groups if group.kind == "stopped"}
    assert stopped == {"a": 0, "b": pytest.approx(0.25)}


def test_nobody_right_is_no_division_by_zero() -> None:
    some = blocks(10, "a", "b")
    quality = group_quality(some, _answers(some, {"a": 10, "b": 10}), ["right"] * 10, SETTINGS)
    assert quality.gaps[0].ratio == 1
