"""The benchmark: only the same items in the same order are compared; the numbers are the right ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from infra.digest import digest_bytes
from infra.errors import DataError
from infra.statistics.intervals import wilson
from infra.statistics.paired import Discordance, mcnemar_exact, tango
from tasks.records import Evidence, Row
from tasks.validate.benchmark import Measured, benchmark_evidence, score_items
from tasks.validate.items import ItemResult, dump_items, item_id, load_items

UNIT, BASE, CHAMPION, DATA, STORED = (digest_bytes(name) for name in (b"u", b"b", b"c", b"d", b"s"))
LABELS = ("impact", "discovery")


def _results(right: str, label: str = "impact", start: int = 0) -> list[ItemResult]:
    """One item per character: `1` right, `0` wrong."""
    return [
        ItemResult(
            id=f"{position}-x",
            label=label,
            predicted=label if mark == "1" else "other",
            correct=mark == "1",
        )
        for position, mark in enumerate(right, start)
    ]


def _evidence(*measured: Measured) -> tuple[Evidence, ...]:
    return benchmark_evidence(*measured, dataset=DATA)


def _metric(evidence: Sequence[Evidence], name: str) -> Evidence:
    (found,) = [item for item in evidence if item.metric == name]
    return found


@pytest.mark.parametrize(
    ("candidate", "other"),
    [
        ([], []),
        ([], _results("1")),
        (_results("11"), _results("1")),
        (_results("1"), _results("11")),
        (_results("11"), _results("11")[::-1]),
        (_results("11"), _results("11", start=1)),
        (_results("11"), _results("11", label="discovery")),
        (_results("1") * 2, _results("1") * 2),
    ],
    ids=["empty", "none-scored", "shorter", "longer", "reordered", "other-items", "relabelled", "doubled"],
)
def test_different_items_are_not_compared(candidate: list[ItemResult], other: list[ItemResult]) -> None:
    with pytest.raises(DataError):
        _evidence(Measured(UNIT, candidate), Measured(BASE, other))
    if candidate and len({item.id for item in candidate}) == len(candidate):
        with pytest.raises(DataError, match="champion"):
            _evidence(Measured(UNIT, candidate), Measured(BASE, candidate), Measured(CHAMPION, other))


def test_first_release_has_no_champion_evidence() -> None:
    evidence = _evidence(Measured(UNIT, _results("1110"), STORED), Measured(BASE, _results("0100")))
    assert [item.metric for item in evidence] == [
        "accuracy",
        "macro_accuracy",
        "base_accuracy",
        "accuracy_gain_over_base",
    ]
    assert {tuple(sorted(item.inputs)) for item in evidence} == {("base", "candidate", "dataset")}
    assert {item.inputs["candidate"] for item in evidence} == {UNIT}


def test_numbers_of_the_triage_benchmark() -> None:
    candidate = "1" * 311 + "0" * 3 + "1" * 70 + "0" * 56
    base = "0" * 311 + "1" * 3 + "1" * 70 + "0" * 56
    evidence = _evidence(Measured(UNIT, _results(candidate), STORED), Measured(BASE, _results(base)))
    gain, accuracy = _metric(evidence, "accuracy_gain_over_base"), _metric(evidence, "accuracy")
    table = Discordance(311, 3, 440)
    assert gain.value == 308 / 440
    assert gain.lower <= tango(table).lower < tango(table).upper <= gain.upper
    assert gain.method.endswith(f"; 311:3 discordant, McNemar exact p={mcnemar_exact(table):.1g}")
    assert gain.details == accuracy.details == STORED
    assert (accuracy.value, accuracy.lower, accuracy.upper) == (
        381 / 440,
        wilson(381, 440).lower,
        wilson(381, 440).upper,
    )
    assert {item.n for item in evidence} == {440}


def test_gain_over_champion_is_paired_with_the_champion() -> None:
    evidence = _evidence(
        Measured(UNIT, _results("1101")),
        Measured(BASE, _results("0000")),
        Measured(CHAMPION, _results("1011")),
    )
    gain = _metric(evidence, "accuracy_gain_over_champion")
    assert gain.value == 0
    assert "1:1 discordant" in gain.method
    assert gain.inputs["champion"] == CHAMPION
    assert _metric(evidence, "champion_accuracy").value == 0.75


def test_slices_show_the_weak_label_that_the_mean_hides() -> None:
    candidate = _results("1" * 90) + _results("1000000000", label="discovery", start=90)
    base = _results("0" * 90) + _results("1100000000", label="discovery", start=90)
    evidence = _evidence(Measured(UNIT, candidate), Measured(BASE, base))
    assert _metric(evidence, "accuracy").value == 0.91
    slices = _metric(evidence, "accuracy").slices
    assert {name: (part.value, part.n) for name, part in slices.items()} == {
        "discovery": (0.1, 10),
        "impact": (1.0, 90),
    }
    assert slices["discovery"].lower < 0.1 < slices["discovery"].upper
    assert _metric(evidence, "macro_accuracy").value == 0.55
    assert "weakest discovery 1 of 10" in _metric(evidence, "macro_accuracy").method
    gains = _metric(evidence, "accuracy_gain_over_base").slices
    assert {name: part.value for name, part in gains.items()} == {"discovery": -0.1, "impact": 1.0}


def test_same_results_give_the_same_evidence() -> None:
    measured = (Measured(UNIT, _results("1101001")), Measured(BASE, _results("0101010")))
    assert _evidence(*measured) == _evidence(*measured)


@dataclass(frozen=True)
class Answer:
    """What the real scorer returns for a text."""

    label: str
    log_probs: tuple[float, ...]


@dataclass(frozen=True)
class LengthScorer:
    """Says impact for short texts; a stand-in for a model, not for our own code."""

    labels: tuple[str, ...] = LABELS
    skip: int = 0

    def score(self, texts: Sequence[str]) -> list[Answer]:
        answers = [Answer(self.labels[len(text) > 3], (-0.1, -2.4)) for text in texts]
        return answers[self.skip :]


ROWS = [Row(text="abc", label="impact", group="g"), Row(text="abcdef", label="impact", group="g")]


def test_scoring_keeps_order_and_identity() -> None:
    results = score_items(LengthScorer(), ROWS)
    assert [(r.label, r.predicted, r.correct) for r in results] == [
        ("impact", "impact", True),
        ("impact", "discovery", False),
    ]
    assert results[0].log_probs == {"impact": -0.1, "discovery": -2.4}
    assert [r.id for r in results] == [item_id(0, ROWS[0]), item_id(1, ROWS[1])]
    assert item_id(0, ROWS[0]) != item_id(0, ROWS[0].model_copy(update={"label": "discovery"}))


def test_nothing_to_score_and_skipping_scorers_are_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        score_items(LengthScorer(), [])
    with pytest.raises(DataError, match="1 answers, expected 2"):
        score_items(LengthScorer(skip=1), ROWS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_scorer_without_finite_numbers_is_refused(value: float) -> None:
    """The first label wins every comparison with NaN: a damaged model would answer it every time."""

    class Damaged(LengthScorer):
        def score(self, texts: Sequence[str]) -> list[Answer]:
            return [Answer("impact", (value, -2.4)) for _ in texts]

    with pytest.raises(DataError, match="item 0: the scorer's log-probabilities are not finite"):
        score_items(Damaged(), ROWS)


def test_items_survive_the_store_byte_for_byte() -> None:
    results = score_items(LengthScorer(), ROWS)
    data = dump_items(results)
    assert load_items(data) == results
    assert dump_items(load_items(data)) == data
    assert data.count(b"\n") == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"not json\n",
        b'{"id":"1","label":"a","predicted":"a","correct":true}',
        b'{"id":"1","label":"a","predicted":"b","correct":true}\n',
        b'{"id":"1","label":"a","predicted":"a","correct":true,"extra":1}\n',
        b'{"id":"1","label":"a","predicted":"a","correct":true,"log_probs":{"a":NaN}}\n',
        b'{"id":"","label":"a","predicted":"a","correct":true}\n',
        b'{"id":"1","label":"a","predicted":"a","correct":true}\n{"id":"2"\n',
    ],
)
def test_malformed_items_are_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="item results"):
        load_items(data)


def test_no_results_are_not_stored() -> None:
    with pytest.raises(DataError, match="no item results"):
        dump_items([])
