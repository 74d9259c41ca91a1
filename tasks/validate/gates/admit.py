"""Which evidence counts: about this candidate, compared with one champion; and what was not measured.

found = by_metric(evidence, candidate=unit)
"""

from infra.errors import IntegrityError
from tasks.records import Evidence, EvidenceSet
from tasks.validate.metrics import METRICS


def failures_of(evidence: EvidenceSet) -> dict[str, str]:
    """Why a metric was not measured, by metric."""
    return {
        metric: f"check {failure.check}: {failure.reason}"
        for failure in evidence.failures
        for metric in failure.metrics
    }


def by_metric(evidence: EvidenceSet, candidate: str | None) -> dict[str, list[Evidence]]:
    """Evidence by metric; raises IntegrityError for any piece about another candidate than `candidate`."""
    if candidate is not None and evidence.candidate != candidate:
        raise IntegrityError(
            f"evidence is about {evidence.candidate}, expected {candidate}",
            hint="validate the candidate again",
        )
    found: dict[str, list[Evidence]] = {}
    for item in evidence.evidence:
        if item.inputs.get("candidate") != evidence.candidate:
            raise IntegrityError(
                f"evidence {item.metric!r} was measured on {item.inputs.get('candidate')},"
                f" expected {evidence.candidate}",
                hint="validate the candidate again",
            )
        metric = METRICS.get(item.metric)
        if metric is not None and metric.needs_champion and "champion" not in item.inputs:
            raise IntegrityError(f"evidence {item.metric!r} does not say which champion it compares with")
        found.setdefault(item.metric, []).append(item)
    return found


def champion_of(evidence: EvidenceSet, expected: str | None) -> str | None:
    """The one champion that the evidence compares with; raises IntegrityError for another than expected."""
    compared = {item.inputs["champion"] for item in evidence.evidence if "champion" in item.inputs}
    if len(compared) > 1 or (expected is not None and compared - {expected}):
        raise IntegrityError(
            f"evidence compares with {', '.join(sorted(compared))}, expected {expected or 'one champion'}",
            hint="validate the candidate again",
        )
    return next(iter(compared), None)
