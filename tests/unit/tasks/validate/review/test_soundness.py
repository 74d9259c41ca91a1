"""An evaluation of other splits, items, seeds or looks is not sound, and the reason is named."""

from dataclasses import replace
from typing import Any

import pytest

from infra.digest import digest_bytes
from infra.ledger import Entry, Kind
from tasks.records import Candidate, DatasetVersion, Evidence, Row, SplitName
from tasks.validate.items import ItemResult, item_id
from tasks.validate.review.soundness import Facts, looks, sound
from tests.unit.tasks.deploy.samples import LABELS, SOME, make_candidate
from tests.unit.tasks.finetune.provenance.samples import make_project

OTHER = digest_bytes(b"other")
CONTENT: dict[SplitName, str] = {
    "train": digest_bytes(b"train"),
    "validation": digest_bytes(b"validation"),
    "test": digest_bytes(b"test"),
}


def rows(split: str) -> list[Row]:
    numbers = range(4)
    return [
        Row(text=f"{split} {label} sentence {number} of its own kind", label=label, group=f"{split}{number}")
        for label in LABELS
        for number in numbers
    ]


def answered(test: list[Row]) -> list[ItemResult]:
    return [
        ItemResult(id=item_id(at, row), label=row.label, predicted=row.label, correct=True)
        for at, row in enumerate(test)
    ]


def told(value: float = 0.0, n: int = 24, **changes: str) -> Evidence:
    inputs = {f"split.{name}": digest for name, digest in CONTENT.items()} | changes
    return Evidence(
        metric="contamination", value=value, lower=0, upper=1, n=n, method="Wilson", inputs=inputs
    )


def look(model: str, test: str = CONTENT["test"], kind: Kind = Kind.NOTE) -> Entry:
    details = {"test": test, "model": model, "items": 12}
    return Entry(
        1, "2026-11-24T00:00:00+00:00", kind, "triage", SOME, "validate", "look", details, SOME, SOME
    )


def statement(**seeds: int) -> dict[str, Any]:
    external = {"seeds": seeds or {"training": 0, "split": 0}}
    return {"predicate": {"buildDefinition": {"externalParameters": external}}}


def candidate(**prompt: Any) -> Candidate:
    made = make_candidate(SOME, SOME)
    dataset = DatasetVersion.model_validate(made.dataset.model_dump() | {"content": CONTENT})
    definition = {**made.prompt.definition, **prompt}
    version = made.prompt.model_copy(update={"definition": definition})
    return made.model_copy(update={"dataset": dataset, "prompt": version})


def facts(**changes: Any) -> Facts:
    splits: dict[SplitName, list[Row]] = {name: rows(name) for name in CONTENT}
    return replace(
        Facts(
            candidate=candidate(),
            splits=splits,
            items=answered(splits["test"]),
            contamination=[told()],
            statement=statement(),
            entries=[look(SOME)],
            project=make_project(),
        ),
        **changes,
    )


def problems(**changes: Any) -> list[str]:
    return [finding.problem for finding in sound(facts(**changes)) if finding.problem]


def leaked() -> dict[str, list[Row]]:
    splits = {name: rows(name) for name in CONTENT}
    splits["train"].append(splits["test"][0])
    return splits


def test_a_sound_evaluation() -> None:
    assert problems() == []


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "nobody told": ({"contamination": []}, "contamination: told 0 times"),
    "told twice": ({"contamination": [told(), told()]}, "contamination: told 2 times"),
    "about another split": ({"contamination": [told(**{"split.test": OTHER})]}, "another test split"),
    "about no split": (
        {"contamination": [told().model_copy(update={"inputs": {"dataset": SOME}})]},
        "another train split",
    ),
    "over other rows": ({"contamination": [told(n=7)]}, "counted over 7 rows, the splits have 24"),
    "a test row in training": (
        {"splits": leaked()},
        "contamination: 1 of 24 evaluation rows share words with training, told were 0",
    ),
    "a test row in the prompt": (
        {"candidate": candidate(examples=[{"text": rows("test")[0].text, "label": LABELS[0]}])},
        "prompt: 1 evaluation rows stand in the prompt",
    ),
    "a validation row inside of the system prompt": (
        {"candidate": candidate(system=f"For example: {rows('validation')[1].text}. One of {{{{labels}}}}.")},
        "prompt: 1 evaluation rows stand in the prompt",
    ),
    "no answers": ({"items": []}, "items: the answers are not to the frozen test rows"),
    "answers in another order": ({"items": answered(rows("test"))[::-1]}, "not to the frozen test rows"),
    "an answer to another label": (
        {
            "items": [
                answered(rows("test"))[0].model_copy(update={"label": "discovery"}),
                *answered(rows("test"))[1:],
            ]
        },
        "another label than its row's",
    ),
    "no provenance": ({"statement": None}, "seeds: the provenance statement names no seeds"),
    "no seeds": ({"statement": {"predicate": {}}}, "names no seeds"),
    "other seeds": ({"statement": statement(training=1, split=0)}, "seeds: recorded are"),
    "a look that nobody counted": ({"entries": []}, "hold-out: no entry of the ledger"),
    "a look at other rows": ({"entries": [look(SOME, OTHER)]}, "hold-out: no entry"),
    "a look of another model": ({"entries": [look(OTHER)]}, "hold-out: no entry"),
    "an entry of another kind": ({"entries": [look(SOME, kind=Kind.BLOCKED)]}, "hold-out: no entry"),
}


@pytest.mark.parametrize(("changes", "expected"), BROKEN.values(), ids=BROKEN)
def test_what_is_not_sound_is_named(changes: dict[str, Any], expected: str) -> None:
    found = problems(**changes)
    assert len(found) == 1, found
    assert expected in found[0]


def test_repeated_rows_and_absent_labels() -> None:
    test = [*rows("test"), rows("test")[0]]
    splits = {name: rows(name) for name in CONTENT} | {"test": test}
    assert problems(splits=splits, items=answered(test), contamination=[told(n=25)]) == [
        "items: 1 test rows repeat another"
    ]
    few = [row for row in rows("test") if row.label != "impact"]
    splits = {name: rows(name) for name in CONTENT} | {"test": few}
    assert problems(splits=splits, items=answered(few), contamination=[told(n=20)]) == [
        "items: no test row has the label 'impact'"
    ]


def test_known_contamination_is_not_told_twice() -> None:
    # What was counted and told is for its own gate to judge.
    assert problems(splits=leaked(), contamination=[told(value=1 / 24)]) == []


def test_looks_are_counted_by_model() -> None:
    total, models = looks([look(SOME), look(SOME), look(OTHER), look(SOME, OTHER)], CONTENT["test"])
    assert total == 3
    assert models == {SOME: 2, OTHER: 1}
