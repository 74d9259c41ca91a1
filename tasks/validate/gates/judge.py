"""All rules over all evidence about one candidate: the report that decides whether it may go on.

report = judge(policy, evidence, requirements=requirements, has_champion=True, today=today)
report.headline
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from infra.digest import digest_json
from tasks.records import (
    EvidenceSet,
    GateReport,
    GateResult,
    RefusedWaiver,
    SecurityRequirements,
    Verdict,
    Waiver,
)
from tasks.records.evidence import verdict_of
from tasks.records.requirements import unmet
from tasks.validate.gates.admit import by_metric, champion_of, failures_of
from tasks.validate.gates.judge_rule import judge_rule
from tasks.validate.gates.policy import GatePolicy
from tasks.validate.gates.rule import GateRule
from tasks.validate.gates.waive import waive
from tasks.validate.metrics import METRICS

_SEVERITIES = ("critical", "high", "medium")
_WORST_FIRST = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 3}


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
    off: Collection[str] = (),
    waivers: Mapping[str, Waiver] | None = None,
    refused: Sequence[RefusedWaiver] = (),
    today: date,
) -> GateReport:
    """Apply every rule to the evidence; pure, and a missing piece is never a pass.

    What the requirements demand may not be dropped: `settings` (digests of the settings they name),
    `source` (digest of the threat model today) and `today` (for waivers) are compared with them.

    A champion rule applies when a champion exists, a rule with `only_with` unless that setting is among
    those that are `off`; both apply whenever their metric was measured, or its check failed.
    `candidate` and `champion`, when given, are the units that the evidence must be about. Raises
    IntegrityError for evidence about anything else. `waivers` are those whose signature holds, by the name
    of their file, `refused` the others.
    """
    found = by_metric(evidence, candidate)
    failed = failures_of(evidence)
    measured_champion = champion_of(evidence, champion)
    compares = has_champion or champion is not None
    results = [
        judge_rule(rule, found.get(rule.metric, ()), failed.get(rule.metric))
        for rule in policy.gates
        if rule.metric in found or rule.metric in failed or _applies(rule, compares, off)
    ]
    rules = {rule.name: rule.metric for rule in policy.gates}
    away = [name for name, metric in rules.items() if METRICS[metric].needs_champion]
    results += unmet(
        requirements,
        metrics=rules,
        judged={result.gate for result in results},
        not_applicable=() if compares else away,
        settings=settings,
        source=source,
        today=today,
    )
    results, uncounted = waive(results, waivers or {}, refused, candidate=evidence.candidate, today=today)
    results.sort(key=_urgency)
    return GateReport(
        candidate=evidence.candidate,
        policy=policy.digest,
        evidence=digest_json(evidence.model_dump(mode="json")),
        requirements=requirements.digest,
        champion=champion or measured_champion,
        results=tuple(results),
        refused=tuple(uncounted),
        verdict=verdict_of(results),
    )


def _applies(rule: GateRule, compares: bool, off: Collection[str]) -> bool:
    return (rule.applies == "always" or compares) and (rule.only_with is None or rule.only_with not in off)


def _urgency(result: GateResult) -> tuple[int, int]:
    return (2 if result.waiver else _WORST_FIRST[result.verdict], _SEVERITIES.index(result.severity))
