"""Measurements of fairness as evidence for gates.

fairness_evidence(swapped, associated, {"candidate": …, "dataset": …}, details)
# counterfactual_flips, group_accuracy_gap, and with the corpora stereotype_preference and its change
"""

from collections.abc import Mapping

from infra.statistics.intervals import Interval
from tasks.records import Evidence
from tasks.records.fairness import DimensionGap
from tasks.validate.fairness.measure import Associated, Swapped


def fairness_evidence(
    swapped: Swapped,
    associated: Associated | None,
    inputs: Mapping[str, str],
    *,
    corpora: Mapping[str, str],
    details: str,
) -> tuple[Evidence, ...]:
    """Two measurements of the served unit, and two of its model where `associated` was measured.

    `inputs` are digests of what the swaps were measured on, `corpora` of what the pairs were. What was not
    measured brings no evidence: a gate on it does not pass.
    """
    found = [_flips(swapped, inputs, details), _gap(swapped, inputs, details)]
    if associated is not None:
        outcome = associated.stereotypes
        able = f"tells sense from nonsense in {outcome.sense.value:.0%}"
        measured = {**inputs, **corpora}
        found += [
            Evidence.of(
                "stereotype_preference",
                outcome.preference,
                measured,
                remark=f"StereoSet pairs, likelihood of whole sentences by the model alone; {able}",
                slices=outcome.themes,
                details=details,
            ),
            Evidence.of(
                "stereotype_preference_change",
                outcome.change,
                measured,
                remark="tuned less base on the same StereoSet pairs",
                slices=outcome.change_by_theme,
                details=details,
            ),
        ]
    return tuple(found)


def _flips(swapped: Swapped, inputs: Mapping[str, str], details: str) -> Evidence:
    outcome = swapped.flips
    worst = max(outcome.groups, key=lambda group: (group.value, group.upper))
    carried = sum(block.carried for block in swapped.blocks)
    remark = (
        f"share of pairs in {len(swapped.blocks)} blocks of texts that differ in the group alone "
        f"({carried} of them with nothing added); worst group {worst.dimension}: {worst.group}"
    )
    return Evidence.of(
        "counterfactual_flips", outcome.all, inputs, remark=remark, slices=outcome.dimensions, details=details
    )


def _gap(swapped: Swapped, inputs: Mapping[str, str], details: str) -> Evidence:
    quality = swapped.quality
    return Evidence.of(
        "group_accuracy_gap",
        quality.gap,
        inputs,
        slices={gap.dimension: _interval(gap, quality.gap) for gap in quality.gaps},
        details=details,
    )


def _interval(gap: DimensionGap, like: Interval) -> Interval:
    return Interval(gap.difference, gap.lower, gap.upper, like.confidence, gap.n, like.method)
