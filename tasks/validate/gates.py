"""Gates: declared rules from evidence to a verdict, fail closed, each explained in one line.

policy = load_gates(Path("configs/gates.yaml"))
report = judge(policy, evidence, requirements=requirements, has_champion=True)
report.headline    # "accuracy-floor: 13.0 % accuracy, 95% CI [10.1, 16.4], limit lower >= 50 %, n=440: fails"
"""

import difflib
import math
from collections.abc import Iterable
from operator import ge, gt, le, lt
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from infra.config.source import Source, read_yaml
from infra.digest import digest_json
from infra.errors import ConfigError, IntegrityError
from tasks.records import Evidence, EvidenceSet, GateReport, GateResult, SecurityRequirements, Verdict
from tasks.records.record import Record
from tasks.validate.metrics import METRICS

_OPERATORS = {">": gt, ">=": ge, "<": lt, "<=": le}
_CAUTIOUS = {">": "lower", ">=": "lower", "<": "upper", "<=": "upper"}
_SEVERITIES = ("critical", "high", "medium")
_WORST_FIRST = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


class GateRule(Record):
    """One rule; every rule blocks, `severity` only orders the reasons."""

    model_config = ConfigDict(strict=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    description: str = Field(min_length=1, description="why the rule exists, for the person who is blocked")
    metric: str = Field(description="what is measured: one of the names in tasks/validate/metrics.py")
    statistic: Literal["point", "lower", "upper"] = Field(description="value, or which bound of its interval")
    op: Literal[">", ">=", "<", "<="]
    limit: float = Field(description="a share, not percent: 0.05 is five points")
    min_n: int = Field(ge=1, description="fewer measured items than this: inconclusive")
    confidence: float = Field(0.95, gt=0, lt=1, description="the interval must have at least this confidence")
    severity: Literal["critical", "high", "medium"] = "high"
    on_missing: Literal["fail"] = Field("fail", description="absent evidence never passes; nothing else is allowed")
    applies: Literal["always", "champion"] = Field(
        "always", description="champion: only when a champion exists, and then the metric is required"
    )

    @model_validator(mode="after")
    def _can_hold(self) -> "GateRule":
        metric = METRICS.get(self.metric)
        if metric is None:
            close = difflib.get_close_matches(self.metric, METRICS, n=1)
            known = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(METRICS)}"
            raise ValueError(f"unknown metric {self.metric!r}, {known}")
        if self.statistic not in ("point", _CAUTIOUS[self.op]):
            raise ValueError(
                f"{self.statistic} {self.op} limit would pass on uncertain evidence, use {_CAUTIOUS[self.op]}"
            )
        if not metric.low <= self.limit <= metric.high:
            raise ValueError(
                f"limit {self.limit} is outside of what {self.metric} can be"
                f" ({metric.low:g} to {metric.high:g}): write a share, not percent"
            )
        if metric.needs_champion and self.applies != "champion":
            raise ValueError(f"{self.metric} needs a champion: say `applies: champion`")
        return self


class GatePolicy(Record):
    """All rules of one project; the names are unique."""

    gates: tuple[GateRule, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """Digest of the rules as they are applied, defaults included."""
        return digest_json(self.model_dump(mode="json"))


def load_gates(file: Path) -> GatePolicy:
    """The policy in a YAML file; raises ConfigError naming file, line and the nearest valid name."""
    source = read_yaml(file)
    try:
        policy = GatePolicy.model_validate(source.values)
    except ValidationError as error:
        raise _explain(error, source) from error
    seen: dict[str, int] = {}
    for number, rule in enumerate(policy.gates):
        if rule.name in seen:
            where = source.where(("gates", number, "name"))
            first = source.where(("gates", seen[rule.name], "name"))
            raise ConfigError(f"{where}: gate {rule.name!r} is declared twice", hint=f"first at {first}")
        seen[rule.name] = number
    return policy


def _explain(error: ValidationError, source: Source) -> ConfigError:
    first = error.errors(include_url=False)[0]
    location = tuple(first["loc"])
    where, name = source.where(location), ".".join(map(str, location)) or "gates"
    hint = "see configs/schema/gates.schema.json for every key"
    if first["type"] == "extra_forbidden":
        valid = GateRule.model_fields if location[:1] == ("gates",) else GatePolicy.model_fields
        close = difflib.get_close_matches(str(location[-1]), list(valid), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"valid keys: {', '.join(valid)}"
        return ConfigError(f"{where}: unknown key {name!r}", hint=hint)
    # Errors of the model itself (cross-field checks) carry the whole mapping as input: too long to repeat.
    plain = isinstance(first["input"], str | int | float | bool | None)
    got = f", got {first['input']!r}" if plain and first["type"] != "missing" else ""
    return ConfigError(f"{where}: {name}: {first['msg'].removeprefix('Value error, ')}{got}", hint=hint)


def judge(
    policy: GatePolicy,
    evidence: EvidenceSet,
    *,
    requirements: SecurityRequirements,
    has_champion: bool,
    candidate: str | None = None,
    champion: str | None = None,
) -> GateReport:
    """Apply every rule to the evidence; pure, and a missing piece is never a pass.

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
    results += [_lacking(gate) for gate in requirements.gates if gate not in severity]
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
            f"evidence is about {evidence.candidate}, expected {candidate}", hint="validate the candidate again"
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


def _lacking(gate: str) -> GateResult:
    return GateResult(
        gate=gate,
        metric="none",
        statistic="none",
        verdict=Verdict.FAIL,
        message=f"{gate}: the security requirements demand this gate, the gate policy lacks it: fails",
    )


def _judge_rule(rule: GateRule, found: Iterable[Evidence]) -> GateResult:
    items = list(found)
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


def gates_schema() -> dict[str, Any]:
    """JSON Schema of a gate policy file, with the known metrics as choices."""
    schema = GatePolicy.model_json_schema()
    schema["$defs"]["GateRule"]["properties"]["metric"]["enum"] = sorted(METRICS)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
