"""What a screening run proves, as evidence for the gates.

screening_evidence(report, held, settings, inputs={"dataset": content, …})

`suspected_poison` is the share of rows that are strongly suspected and not decided on. It counts for
nothing (n = 0, upper bound 1: inconclusive) unless the same settings found planted poison in the same rows.
"""

from collections.abc import Mapping

from infra.config.screening import ScreeningSettings
from infra.statistics.intervals import Interval, wilson
from tasks.finetune.screening.quarantine import HeldBack
from tasks.records import Evidence, Slice
from tasks.records.screening import PlantedRecall, ScreeningReport, SelfTest

FLIPS = "flips"


def screening_evidence(
    report: ScreeningReport, held: HeldBack, settings: ScreeningSettings, *, inputs: Mapping[str, str]
) -> tuple[Evidence, ...]:
    """Suspected share, and recall and false alarms of the self-test when there was one."""
    suspected = _suspected(report, held, settings, inputs)
    return (suspected, *(_tested(report.self_test, inputs) if report.self_test else ()))


def distrust(tested: SelfTest | None, settings: ScreeningSettings) -> str:
    """Why this screen proves nothing; empty when its self-test was good enough."""
    if tested is None:
        return "the screen was not tested on planted poison"
    triggers = tested.trigger_recall
    if triggers.recall < settings.least_trigger_recall:
        return f"found {triggers.found} of {triggers.planted} planted triggers"
    flips = tested.kinds.get(FLIPS)
    if flips is None or flips.recall < settings.least_flip_recall:
        found = f"found {flips.found} of {flips.planted}" if flips else "was not tested on"
        return f"{found} planted label flips"
    return ""


def _suspected(
    report: ScreeningReport, held: HeldBack, settings: ScreeningSettings, inputs: Mapping[str, str]
) -> Evidence:
    undecided = len(held.undecided)
    interval = wilson(undecided, report.rows)
    remark = f"{undecided} of {report.rows} rows held back, undecided"
    problem = distrust(report.self_test, settings)
    return Evidence(
        metric="suspected_poison",
        value=interval.value,
        lower=0.0 if problem else interval.lower,
        upper=1.0 if problem else interval.upper,
        n=0 if problem else interval.n,
        method=f"{interval.method}; {remark}" + (f"; not proven: {problem}" if problem else ""),
        inputs=dict(inputs),
        slices=_by_kind(report, held),
    )


def _by_kind(report: ScreeningReport, held: HeldBack) -> dict[str, Slice]:
    counts: dict[str, int] = {}
    for kinds in (report.held[row] for row in held.undecided):
        for kind in kinds:
            counts[kind.value] = counts.get(kind.value, 0) + 1
    return {kind: Slice.of(wilson(count, report.rows)) for kind, count in sorted(counts.items())}


def _tested(tested: SelfTest, inputs: Mapping[str, str]) -> tuple[Evidence, ...]:
    triggers = {
        kind: wilson(each.found, each.planted) for kind, each in tested.kinds.items() if kind != FLIPS
    }
    found = [
        _recall("screening_trigger_recall", tested.trigger_recall, inputs, triggers, "planted triggers held")
    ]
    if flips := tested.kinds.get(FLIPS):
        precision = {"precision_of_the_list": _precision(flips.found, tested.flips_listed)}
        found.append(_recall("screening_flip_recall", flips, inputs, precision, "planted flips listed"))
    false = wilson(tested.false_rows, tested.clean_rows)
    remark = f"{tested.false_rows} of {tested.clean_rows} untouched rows held"
    return (*found, Evidence.of("screening_false_rows", false, inputs, remark=remark))


def _precision(found: int, listed: int) -> Interval:
    return wilson(min(found, max(listed, 1)), max(listed, 1))


def _recall(
    metric: str,
    counted: PlantedRecall,
    inputs: Mapping[str, str],
    slices: Mapping[str, Interval],
    what: str,
) -> Evidence:
    remark = f"{counted.found} of {counted.planted} {what}"
    return Evidence.of(metric, wilson(counted.found, counted.planted), inputs, remark=remark, slices=slices)
