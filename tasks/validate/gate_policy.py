"""Gate rules as declared in YAML: closed, checked at load, named by their digest.

policy = load_gates(Path("configs/gates.yaml"))     # ConfigError names file, line and nearest valid name
policy.digest
"""

import difflib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from infra.config.source import Source, read_yaml
from infra.digest import digest_json
from infra.errors import ConfigError
from tasks.records.record import Record
from tasks.validate.metrics import METRICS

_CAUTIOUS = {">": "lower", ">=": "lower", "<": "upper", "<=": "upper"}


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
    on_missing: Literal["fail"] = Field(
        "fail", description="absent evidence never passes; no other value is allowed"
    )
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

    @cached_property
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
    errors = error.errors(include_url=False)
    # A misspelt key is also a missing one; the misspelling is the one to name.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
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


def gates_schema() -> dict[str, Any]:
    """JSON Schema of a gate policy file, with the known metrics as choices."""
    schema = GatePolicy.model_json_schema()
    schema["$defs"]["GateRule"]["properties"]["metric"]["enum"] = sorted(METRICS)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
