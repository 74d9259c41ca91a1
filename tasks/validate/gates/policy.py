"""All gate rules of a project, as declared in YAML: closed, checked at load, named by their digest.

policy = load_gates(Path("configs/gates.yaml"))     # ConfigError names file, line and nearest valid name
policy.digest
"""

import difflib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from infra.config.file_only import FILE_ONLY, is_file_only
from infra.config.lookup import is_setting
from infra.config.source import Source, read_yaml
from infra.digest import digest_json
from infra.errors import ConfigError
from tasks.records.record import Record
from tasks.validate.gates.rule import GateRule
from tasks.validate.metrics import METRICS


class GatePolicy(Record):
    """All rules of one project; the names are unique."""

    gates: tuple[GateRule, ...] = Field(min_length=1)

    def settings_off(self, values: Callable[[str], object]) -> frozenset[str]:
        """Of the settings that rules name in `only_with`, those whose value says off: false or null."""
        names = {rule.only_with for rule in self.gates if rule.only_with is not None}
        return frozenset(name for name in names if (value := values(name)) is False or value is None)

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
        if rule.only_with is not None:
            _check_switch(rule.only_with, source.where(("gates", number, "only_with")))
    return policy


def _check_switch(name: str, where: str) -> None:
    if not is_setting(name):
        raise ConfigError(f"{where}: no setting {name!r}", hint="a dotted name from the project's settings")
    if not is_file_only(name):
        raise ConfigError(
            f"{where}: only_with: an environment variable can set {name!r}, and would switch the gate off",
            hint=f"a setting that only files set: {', '.join(sorted(FILE_ONLY))}",
        )


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
