"""Served accuracy: a blocked row is wrong and counted, whatever the label says."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from infra.digest import digest_bytes
from infra.errors import DataError, Unavailable
from infra.statistics.intervals import wilson
from tasks.records import Row
from tasks.records.redteam import Against
from tasks.validate.benchmark.served import BLOCKED, served_evidence, served_items
from tasks.validate.items import dump_items, load_items
from tasks.validate.targets import Conversation, Reply

INPUTS = {"candidate": digest_bytes(b"u"), "dataset": digest_bytes(b"d")}
ROWS = [Row(text=text, label="impact", group="g") for text in ("a", "b", "c", "d")]


@dataclass(frozen=True)
class Unit:
    """Gives the replies that it was made with."""

    replies: tuple[Reply, ...]
    against: Against = "unit"

    def ask(self, conversations: Sequence[Conversation]) -> Sequence[Reply]:
        assert [c[-1]["role"] for c in conversations] == ["user"] * len(conversations)
        return self.replies


def test_a_blocked_row_counts_as_wrong_and_is_said() -> None:
    replies = (Reply("impact"), Reply("discovery"), Reply("", "override"), Reply("impact", "override"))
    results = served_items(Unit(replies), ROWS)
    assert [item.correct for item in results] == [True, False, False, False]
    assert load_items(dump_items(results)) == results
    evidence = served_evidence(results, INPUTS)
    assert (evidence.value, evidence.n) == (0.25, 4)
    assert (evidence.lower, evidence.upper) == (wilson(1, 4).lower, wilson(1, 4).upper)
    assert "1 of 4 right through guard, prompt and model, 2 blocked (override 2)" in evidence.method
    assert evidence.slices["impact"].value == 0.25


def test_nothing_blocked_is_said_too() -> None:
    evidence = served_evidence(served_items(Unit((Reply("impact"),) * 4), ROWS), INPUTS)
    assert "0 blocked;" in evidence.method
    assert "merged in fp32" in evidence.method


def test_a_blocked_row_is_never_right_even_for_a_label_that_reads_like_a_block() -> None:
    row = Row(text="a", label=f"{BLOCKED}override", group="g")
    with pytest.raises(ValueError, match="does not follow"):
        served_items(Unit((Reply("", "override"),)), [row])


def test_an_empty_answer_is_wrong() -> None:
    (result,) = served_items(Unit((Reply(""),)), ROWS[:1])
    assert not result.correct


def test_no_rows_missing_replies_and_a_unit_that_is_down_are_no_result() -> None:
    class Down(Unit):
        def ask(self, conversations: Sequence[Conversation]) -> Sequence[Reply]:
            raise Unavailable("the model server stops")

    with pytest.raises(DataError, match="no rows"):
        served_items(Unit(()), [])
    with pytest.raises(DataError, match="2 replies, expected 4"):
        served_items(Unit((Reply("impact"),) * 2), ROWS)
    with pytest.raises(Unavailable):
        served_items(Down(()), ROWS)
    with pytest.raises(DataError, match="no served rows"):
        served_evidence([], INPUTS)
