"""What has to be true of the evaluation before its numbers mean anything, each with its reason if it is not.

findings = sound(Facts(candidate, splits, items, contamination, statement, entries, project))
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.config import Project
from infra.ledger import Entry, Kind
from tasks.records import Candidate, Evidence, Row, SplitName
from tasks.validate.finding import Finding
from tasks.validate.items import ItemResult, item_id
from tasks.validate.review.overlap import RUN_WORDS, recount

_EVALUATION: tuple[SplitName, ...] = ("validation", "test")


@dataclass(frozen=True)
class Facts:
    """What is looked at."""

    candidate: Candidate
    splits: Mapping[SplitName, Sequence[Row]]
    """Rows of train, validation and test, read and verified now."""
    items: Sequence[ItemResult]
    """The candidate's answers to the test rows."""
    contamination: Sequence[Evidence]
    """What the phases before brought along about contamination."""
    statement: Mapping[str, Any] | None
    """Provenance statement of the adapter; None when it has none."""
    entries: Sequence[Entry]
    """The ledger, its chain verified."""
    project: Project


def sound(facts: Facts) -> tuple[Finding, ...]:
    """One finding each; pure."""
    checks = {
        "contamination": _contamination(facts),
        "prompt": _prompt(facts),
        "items": _items(facts),
        "seeds": _seeds(facts),
        "hold-out": _looks(facts),
    }
    return tuple(Finding(name=name, proofs={name: problem}) for name, problem in checks.items())


def looks(entries: Sequence[Entry], test: str) -> tuple[int, Counter[str]]:
    """How often these test rows were looked at, in all and by model (digest)."""
    models = Counter(
        str(entry.details.get("model"))
        for entry in entries
        if entry.kind == Kind.NOTE and entry.details.get("test") == test
    )
    return models.total(), models


def _contamination(facts: Facts) -> str:
    """Counted again, on the very splits, and not more than what was told."""
    if len(facts.contamination) != 1:
        return f"told {len(facts.contamination)} times, expected once"
    (told,) = facts.contamination
    for split, content in facts.candidate.dataset.content.items():
        if told.inputs.get(f"split.{split}") != content:
            return f"it was counted on another {split} split than the candidate's"
    rows = [row.text for split in _EVALUATION for row in facts.splits[split]]
    found = recount((row.text for row in facts.splits["train"]), rows)
    if told.n != len(rows):
        return f"counted over {told.n} rows, the splits have {len(rows)}"
    if len(found.shared) > round(told.value * told.n):
        return f"{len(found.shared)} of {len(rows)} evaluation rows share words with training," \
            f" told were {round(told.value * told.n)}"  # fmt: skip
    return ""


def _prompt(facts: Facts) -> str:
    """No evaluation row stands in the prompt, as an example or otherwise."""
    shown = list(_texts(facts.candidate.prompt.definition))
    rows = [row.text for split in _EVALUATION for row in facts.splits[split]]
    found = recount(shown, rows)
    inside = {
        number
        for number, text in enumerate(rows)
        if len(text.split()) >= RUN_WORDS // 2 and any(text in each for each in shown)
    }
    count = len(found.shared | inside)
    return f"{count} evaluation rows stand in the prompt" if count else ""


def _items(facts: Facts) -> str:
    """The frozen rows, each answered once, every label among them."""
    rows = facts.splits["test"]
    if [item.id for item in facts.items] != [item_id(number, row) for number, row in enumerate(rows)]:
        return "the answers are not to the frozen test rows, one by one"
    if any(item.label != row.label for item, row in zip(facts.items, rows, strict=True)):
        return "an answer was compared with another label than its row's"
    repeated = len(rows) - len({row.text for row in rows})
    if repeated:
        return f"{repeated} test rows repeat another"
    absent = set(facts.candidate.prompt.labels) - {row.label for row in rows}
    return f"no test row has the label {sorted(absent)[0]!r}" if absent else ""


def _seeds(facts: Facts) -> str:
    """Written down where the adapter comes from, and those of today."""
    try:
        recorded = (facts.statement or {})["predicate"]["buildDefinition"]["externalParameters"]["seeds"]
        got = {name: int(recorded[name]) for name in ("training", "split")}
    except (KeyError, TypeError, ValueError):
        return "the provenance statement names no seeds"
    project = facts.project
    expected = {"training": project.training.seed, "split": project.data.split.seed}
    return "" if got == expected else f"recorded are {got}, the settings say {expected}"


def _looks(facts: Facts) -> str:
    """Every look is in the ledger, this model's too."""
    _, models = looks(facts.entries, facts.candidate.dataset.content["test"])
    return "" if models[facts.candidate.adapter.digest] else "no entry of the ledger counts this model's look"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from _texts(each)
