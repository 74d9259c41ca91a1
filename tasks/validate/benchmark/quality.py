"""Task quality on the frozen split: candidate against base and champion, item by item.

benchmark_evidence(Measured(unit, results), Measured(base, base_results), None, dataset=digest)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.errors import DataError
from infra.statistics.intervals import Interval, mean_of_proportions, wilson
from infra.statistics.paired import Discordance, discordance, mcnemar_exact, paired_difference
from tasks.records import Evidence
from tasks.validate.items import ItemResult

ARTEFACT = "adapter merged in fp32, then bf16, as served"
"""What was scored: the very weights that the model server loads (`infra.models.load.load_tuned`)."""


@dataclass(frozen=True)
class Measured:
    """One model's answers; `digest` names the model, `details` its item results in the store."""

    digest: str
    results: Sequence[ItemResult]
    details: str | None = None


def benchmark_evidence(
    candidate: Measured,
    base: Measured,
    champion: Measured | None = None,
    *,
    dataset: str,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[Evidence, ...]:
    """Accuracy of each model and the candidate's paired gains, as evidence about the candidate.

    `candidate.digest` and `champion.digest` are units, `base.digest` the base model's tree. Raises
    DataError when the models did not answer the very same items in the same order.
    """
    check_same_items(candidate.results, base.results, "base")
    inputs = {"candidate": candidate.digest, "base": base.digest, "dataset": dataset}
    evidence = [
        _accuracy("accuracy", candidate, inputs, confidence),
        _macro(candidate, inputs, confidence),
        _accuracy("base_accuracy", base, inputs, confidence),
        _gain("accuracy_gain_over_base", candidate, base, inputs, confidence, seed),
    ]
    if champion is not None:
        check_same_items(candidate.results, champion.results, "champion")
        inputs = {**inputs, "champion": champion.digest}
        evidence += [
            _accuracy("champion_accuracy", champion, inputs, confidence),
            _gain("accuracy_gain_over_champion", candidate, champion, inputs, confidence, seed),
        ]
    return tuple(evidence)


def check_same_items(first: Sequence[ItemResult], second: Sequence[ItemResult], name: str) -> None:
    """Raises DataError unless both answer the same, distinct items with the same labels, in one order."""
    if not first or len(first) != len(second):
        raise DataError(f"{name}: got {len(second)} item results, expected {len(first)} and at least one")
    if len({item.id for item in first}) != len(first):
        raise DataError("candidate: an item is answered twice", hint="every item counts once")
    for position, (a, b) in enumerate(zip(first, second, strict=True)):
        if a.id != b.id:
            raise DataError(
                f"{name}: item {position} is {b.id!r}, expected {a.id!r}",
                hint="score all models on the same frozen split, in the same order",
            )
        if a.label != b.label:
            raise DataError(f"{name}: item {a.id!r} has label {b.label!r}, expected {a.label!r}")


def _tally(results: Sequence[ItemResult]) -> dict[str, tuple[int, int]]:
    """`{label: (right, all)}`, sorted by label."""
    counts: dict[str, tuple[int, int]] = {}
    for item in results:
        right, total = counts.get(item.label, (0, 0))
        counts[item.label] = (right + item.correct, total + 1)
    return dict(sorted(counts.items()))


def by_label(results: Sequence[ItemResult], confidence: float) -> dict[str, Interval]:
    """Accuracy of each label's items, sorted by label."""
    return {label: wilson(right, n, confidence) for label, (right, n) in _tally(results).items()}


def _accuracy(metric: str, model: Measured, inputs: dict[str, str], confidence: float) -> Evidence:
    right = sum(item.correct for item in model.results)
    interval = wilson(right, len(model.results), confidence)
    return Evidence.of(
        metric,
        interval,
        inputs,
        remark=f"{right} of {interval.n} right" + ("" if metric == "base_accuracy" else f"; {ARTEFACT}"),
        slices=by_label(model.results, confidence),
        details=model.details,
    )


def _macro(model: Measured, inputs: dict[str, str], confidence: float) -> Evidence:
    tally = _tally(model.results)
    weakest = min(tally, key=lambda label: tally[label][0] / tally[label][1])
    right, total = tally[weakest]
    return Evidence.of(
        "macro_accuracy",
        mean_of_proportions(list(tally.values()), confidence),
        inputs,
        remark=f"{len(tally)} labels, weakest {weakest} {right} of {total}",
        slices=by_label(model.results, confidence),
        details=model.details,
    )


def _gain(
    metric: str, model: Measured, other: Measured, inputs: dict[str, str], confidence: float, seed: int
) -> Evidence:
    table = _discordance(model, other)
    labels = sorted({item.label for item in model.results})
    return Evidence.of(
        metric,
        paired_difference(table, confidence=confidence, seed=seed),
        inputs,
        remark=f"{table.gained}:{table.lost} discordant, McNemar exact p={mcnemar_exact(table):.1g}",
        slices={
            label: paired_difference(_discordance(model, other, label), confidence=confidence, seed=seed)
            for label in labels
        },
        details=model.details,
    )


def _discordance(model: Measured, other: Measured, label: str | None = None) -> Discordance:
    pairs = [
        (ours.correct, theirs.correct)
        for ours, theirs in zip(model.results, other.results, strict=True)
        if label is None or ours.label == label
    ]
    return discordance([ours for ours, _ in pairs], [theirs for _, theirs in pairs])
