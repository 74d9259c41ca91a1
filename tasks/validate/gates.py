"""Gates: from evidence to a verdict by declared rules, fail closed, each explained in one line.

report = judge(load_gates(file), evidence, requirements=requirements, has_champion=True)
report.headline    # "accuracy-floor: 13.0 % accuracy, 95% CI [10.1, 16.4], limit lower >= 50 %, …: fails"
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from operator import ge, gt, le, lt

from infra.digest import digest_json
from infra.errors import IntegrityError
from tasks.records import Evidence, EvidenceSet, GateReport, GateResult, SecurityRequirements, Verdict
from tasks.records.requirements import unmet
from tasks.validate.gate_policy import GatePolicy, GateRule, load_gates
from tasks.validate.metrics import METRICS

__all__ = ["GatePolicy", "GateRule", "judge", "load_gates"]

_OPERATORS = {">": gt, ">=": ge, "<": lt, "<=": le}
_SEVERITIES = ("critical", "high", "medium")
_WORST_FIRST = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


def judge(
    policy: GatePolicy,
    evidence: EvidenceSet,
    *,
    requirements: SecurityRequirements,
    has_champion: bool,
    candidate: str | None = None,
    champion: str | None = None,
    settings: Mapping[str, str] | None = None,
    source: str | None = None,
    today: date,
) -> GateReport:
    """Apply every rule to the evidence; pure, and a missing piece is never a pass.

    What the requirements demand may not be dropped: `settings` (digests of the settings they name),
    `source` (digest of the threat model today) and `today` (for waivers) are compared with them.

    A champion rule applies when a champion exists, and also when evidence against one was measured.
    `candidate` and `champion`, when given, are the units that the evidence must be about. Raises
    IntegrityError for evidence about anything else.
    """
    found = _by_metric(evidence, candidate)
    measured_champion = _champion_of(evidence, champion)
    results = [
        _judge_rule(rule, found.get(rule.metric, ()))
        for rule in policy.gates
        if rule.applies == "always" or has_champion or champion is not None or rule.metric in found
    ]
    severity = {rule.name: _SEVERITIES.index(rule.severity) for rule in policy.gates}
    rules = {rule.name: rule.metric for rule in policy.gates}
    away = [name for name, metric in rules.items() if METRICS[metric].needs_champion]
    results += unmet(
        requirements,
        metrics=rules,
        judged={result.gate for result in results},
        not_applicable=() if has_champion or champion is not None else away,
        settings=settings,
        source=source,
        today=today,
    )
    results.sort(key=lambda result: (_WORST_FIRST[result.verdict], severity.get(result.gate, 0)))
    return GateReport(
        candidate=evidence.candidate,
        policy=policy.digest,
        evidence=digest_json(evidence.model_dump(mode="json")),
        requirements=requirements.digest,
        champion=champion or measured_champion,
        results=tuple(results),
        verdict=results[0].verdict if results else Verdict.INCONCLUSIVE,
    )


def _by_metric(evidence: EvidenceSet, candidate: str | None) -> dict[str, list[Evidence]]:
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


def _champion_of(evidence: EvidenceSet, expected: str | None) -> str | None:
    compared = {item.inputs["champion"] for item in evidence.evidence if "champion" in item.inputs}
    if len(compared) > 1 or (expected is not None and compared - {expected}):
        raise IntegrityError(
            f"evidence compares with {', '.join(sorted(compared))}, expected {expected or 'one champion'}",
            hint="validate the candidate again",
        )
    return next(iter(compared), None)


def _judge_rule(rule: GateRule, items: Sequence[Evidence]) -> GateResult:
    if len(items) != 1:
        reason = "no evidence was measured" if not items else f"measured {len(items)} times, expected once"
        return GateResult(
            gate=rule.name,
            metric=rule.metric,
            statistic=rule.statistic,
            verdict=Verdict.FAIL,
            message=f"{rule.name}: {rule.metric}: {reason}, limit {_limit(rule)}: fails",
            limit=rule.limit,
        )
    item = items[0]
    got = item.value if rule.statistic == "point" else getattr(item, rule.statistic)
    verdict, reason = _decide(rule, item, got)
    return GateResult(
        gate=rule.name,
        metric=rule.metric,
        statistic=rule.statistic,
        verdict=verdict,
        message=_sentence(rule, item, reason),
        got=got if math.isfinite(got) else None,
        limit=rule.limit,
        n=item.n,
    )


def _decide(rule: GateRule, item: Evidence, got: float) -> tuple[Verdict, str]:
    """Verdict and, unless it passes, why: fails (shown bad, unusable) or inconclusive (not shown)."""
    metric, holds = METRICS[rule.metric], _OPERATORS[rule.op]
    # Comparisons with NaN are false, so anything that is not a possible number ends here.
    if not metric.low <= item.lower <= item.value <= item.upper <= metric.high:
        return Verdict.FAIL, "fails: not a possible measurement"
    if item.confidence < rule.confidence:
        return Verdict.FAIL, f"fails: interval of {item.confidence:.0%}, the gate asks {rule.confidence:.0%}"
    if item.n < rule.min_n:
        return Verdict.INCONCLUSIVE, f"inconclusive: {rule.min_n} items needed"
    if holds(got, rule.limit):
        return Verdict.PASS, ""
    if not holds(item.value, rule.limit):
        return Verdict.FAIL, "fails"
    return Verdict.INCONCLUSIVE, f"inconclusive: not shown yet{_items_needed(rule, item, got)}"


def _items_needed(rule: GateRule, item: Evidence, got: float) -> str:
    distance = abs(item.value - rule.limit)
    if distance == 0:
        return ""
    needed = item.n * ((item.value - got) / distance) ** 2  # an interval shrinks with the root of n
    return f", about {math.ceil(needed):,} such items would decide" if needed < 1e6 else ""


def _limit(rule: GateRule) -> str:
    bound = "" if rule.statistic == "point" else f"{rule.statistic} "
    return f"{bound}{rule.op} {METRICS[rule.metric].show_limit(rule.limit)}"


def _sentence(rule: GateRule, item: Evidence, reason: str) -> str:
    metric = METRICS[rule.metric]
    # By convention of `method`, what follows its last "; " is a remark about this result.
    _, mark, remark = item.method.rpartition("; ")
    return (
        f"{rule.name}: {metric.show(item.value)} {metric.unit} {metric.about},"
        f" {item.confidence:.0%} CI [{metric.show(item.lower)}, {metric.show(item.upper)}],"
        f" limit {_limit(rule)}, n={item.n}{f' ({remark})' if mark else ''}{f': {reason}' if reason else ''}"
    )
