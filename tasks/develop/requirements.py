"""Security requirements: threats → controls → the gate or setting that proves each control.

requirements = load_requirements(Path("configs/threat-model.yaml"), {"accuracy-floor"})

A high threat without a control needs a waiver that names who accepted the risk, why, and until when.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, ValidationError, model_validator

from infra.config.project import Project
from infra.config.source import Source, read_yaml
from infra.digest import digest_json
from infra.errors import ConfigError
from tasks.records import Record, SecurityRequirements

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Waiver(Record):
    """A risk accepted by a person until a day."""

    reason: Text
    accepted_by: Text
    expires: date = Field(description="last day on which it counts (UTC)")


class Threat(Record):
    """What may go wrong, under a key that outlives the editions of the lists it is mapped to."""

    key: Key
    title: Text
    severity: Literal["high", "medium", "low"]
    owasp_2025: Annotated[str, StringConstraints(pattern=r"^LLM(0[1-9]|10)$")] | None = None
    owasp_2026: Annotated[str, StringConstraints(pattern=r"^LLM(0[1-9]|10)$")] | None = None
    atlas: tuple[Annotated[str, StringConstraints(pattern=r"^AML\.T\d{4}(\.\d{3})?$")], ...] = ()
    controls: tuple[Key, ...] = ()
    waiver: Waiver | None = None


class Control(Record):
    """What is done about threats, and the one thing that proves it."""

    key: Key
    title: Text
    gate: Key | None = Field(None, description="gate rule whose pass proves it")
    setting: str | None = Field(None, description="dotted name of the setting that puts it in force")
    always: Text | None = Field(None, description="where the code enforces it; no setting turns it off")

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if sum(proof is not None for proof in (self.gate, self.setting, self.always)) != 1:
            raise ValueError("needs exactly one proof: gate, setting or always")
        return self


class ThreatModel(Record):
    """The whole file."""

    threats: tuple[Threat, ...] = Field(min_length=1)
    controls: tuple[Control, ...] = Field(min_length=1)


def load_requirements(file: Path, gate_names: set[str], *, today: date | None = None) -> SecurityRequirements:
    """The controls and gates that the threat model demands.

    Raises ConfigError with file and line: a high threat without control or unexpired waiver, a control
    that names no existing gate or setting, a key used twice or not at all.
    """
    source = read_yaml(file)
    model = _parse(source)
    _check_keys(source, model)
    for number, threat in enumerate(model.threats):
        _check_threat(source.where(("threats", number)), threat, today or datetime.now(UTC).date())
    for number, control in enumerate(model.controls):
        _check_proof(source.where(("controls", number)), control, gate_names)
    demanded = {key for threat in model.threats for key in threat.controls}
    return SecurityRequirements(
        digest=digest_json(model.model_dump(mode="json")),
        controls=tuple(sorted(demanded)),
        gates=tuple(sorted({c.gate for c in model.controls if c.gate and c.key in demanded})),
    )


def _parse(source: Source) -> ThreatModel:
    try:
        return ThreatModel.model_validate(source.values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"{source.where(first['loc'])}: {name}: {first['msg']}", hint="see configs/threat-model.yaml"
        ) from error


def _check_keys(source: Source, model: ThreatModel) -> None:
    keys = {"threats": [t.key for t in model.threats], "controls": [c.key for c in model.controls]}
    for part, names in keys.items():
        for number, key in enumerate(names):
            if key in names[:number]:
                raise ConfigError(f"{source.where((part, number))}: key {key!r} is used twice")
    known = set(keys["controls"])
    for number, threat in enumerate(model.threats):
        if absent := [key for key in threat.controls if key not in known]:
            raise ConfigError(
                f"{source.where(('threats', number))}: threat {threat.key!r} names the unknown control"
                f" {absent[0]!r}",
                hint=f"controls: {', '.join(sorted(known))}",
            )
    used = {key for threat in model.threats for key in threat.controls}
    for number, control in enumerate(model.controls):
        if control.key not in used:
            raise ConfigError(
                f"{source.where(('controls', number))}: control {control.key!r} answers no threat",
                hint="name it in a threat, or remove it",
            )


def _check_threat(where: str, threat: Threat, today: date) -> None:
    if threat.severity != "high" or threat.controls:
        return
    if threat.waiver is None:
        raise ConfigError(
            f"{where}: high threat {threat.key!r} has neither a control nor a waiver",
            hint="add a control, or a waiver with reason, accepted_by and expires",
        )
    if threat.waiver.expires < today:
        raise ConfigError(
            f"{where}: high threat {threat.key!r}: its waiver expired on {threat.waiver.expires}",
            hint="add a control, or decide again",
        )


def _check_proof(where: str, control: Control, gate_names: set[str]) -> None:
    if control.gate and control.gate not in gate_names:
        raise ConfigError(
            f"{where}: control {control.key!r} names the unknown gate {control.gate!r}",
            hint=f"gates: {', '.join(sorted(gate_names)) or 'none'}",
        )
    if control.setting and not _is_setting(control.setting):
        raise ConfigError(
            f"{where}: control {control.key!r} names the unknown setting {control.setting!r}",
            hint="dotted names of the project's settings: see configs/schema/project.schema.json",
        )


def _is_setting(name: str) -> bool:
    model: object = Project
    for part in name.split("."):
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
    return True
