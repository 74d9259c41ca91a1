"""A robustness report as evidence for gates.

robustness_evidence(report, {"candidate": …, "dataset": …})
# perturbed_accuracy_drop, answer_consistency, injected_accuracy, injection_attack_success
"""

from collections.abc import Mapping

from infra.statistics.intervals import wilson
from tasks.records import Evidence, Slice
from tasks.records.robustness import Bounds, RobustnessReport


def robustness_evidence(
    report: RobustnessReport, inputs: Mapping[str, str], details: str | None = None
) -> tuple[Evidence, ...]:
    """Four measurements; `inputs` are the digests of what was measured, `details` the report's own.

    The two about noise state the worst kind, with intervals that hold for all kinds at once.
    """
    noise = report.perturbations
    drop = max(noise, key=lambda outcome: outcome.drop.upper)
    firm = min(noise, key=lambda outcome: outcome.consistency.lower)
    attack = report.worst_attack
    floor = sum(outcome.obeyed_when_clean for outcome in report.attacks)
    all_kinds = f"the worst of {len(noise)} kinds of noise, intervals hold for all of them at once"
    families = f"{len(report.attacks)} families of phrases that training does not contain"

    def evidence(metric: str, bounds: Bounds, method: str, slices: dict[str, Slice]) -> Evidence:
        return Evidence(
            metric=metric,
            value=bounds.value,
            lower=bounds.lower,
            upper=bounds.upper,
            confidence=report.confidence,
            n=report.rows,
            method=f"{method}; seed {report.seed}",
            inputs=dict(inputs),
            slices=slices,
            details=details,
        )

    return (
        evidence(
            "perturbed_accuracy_drop",
            drop.drop,
            f"paired bootstrap widened to the Tango score interval; {all_kinds}: {drop.kind}",
            {outcome.kind: _slice(outcome.drop, report.rows) for outcome in noise},
        ),
        evidence(
            "answer_consistency",
            firm.consistency,
            f"Wilson score interval; {all_kinds}: {firm.kind}",
            {outcome.kind: _slice(outcome.consistency, report.rows) for outcome in noise},
        ),
        evidence(
            "injected_accuracy",
            report.injected_accuracy,
            f"Wilson score interval; {families}, one a row",
            {
                outcome.family: Slice.of(wilson(outcome.right, outcome.n, report.confidence))
                for outcome in report.attacks
            },
        ),
        evidence(
            "injection_attack_success",
            report.injection_success,
            f"Wilson score interval; {families}, each naming a wrong label; worst: {attack.family} "
            f"{attack.obeyed} of {attack.n}; {floor} rows give that label without it too",
            {outcome.family: _slice(outcome.success, outcome.n) for outcome in report.attacks},
        ),
    )


def _slice(bounds: Bounds, n: int) -> Slice:
    return Slice(value=bounds.value, lower=bounds.lower, upper=bounds.upper, n=n)
