"""Read a project's threat model, hold it against reality, and derive what it demands of a release.

requirements = load_requirements(project, gate_metrics(project))
store.put_bytes(requirements_document(project))      # the bytes that requirements.digest names
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from pydantic import ValidationError

from infra.config import Project
from infra.config.load import REPOSITORY
from infra.config.lookup import setting_digest
from infra.config.source import Source, read_yaml
from infra.definitions import is_checkout
from infra.digest import canonical_json, digest_bytes, digest_file
from infra.errors import ConfigError
from tasks.develop.requirements.checks import Problem, Surroundings, find_problems
from tasks.develop.requirements.model import ThreatModel
from tasks.records.requirements import SecurityRequirements, Waived

_HINT = "see configs/threat-model.yaml, and configs/schema/threat-model.schema.json for every key"


def load_requirements(
    project: Project, gates: Mapping[str, str], *, today: date | None = None
) -> SecurityRequirements:
    """The controls and gates that the project's threat model demands; `gates` is {name: metric}.

    Raises ConfigError with file and line: a threat without control or unexpired waiver, a control whose
    gate, setting, code or test does not prove it, a boundary crossing that no threat considers, a key that
    is unknown or used twice.
    """
    model, problems = check_requirements(project, gates, today=today)
    if problems:
        more = f" (and {len(problems) - 1} more: assay threats check)" if len(problems) > 1 else ""
        raise ConfigError(f"{problems[0]}{more}", hint=problems[0].hint or _HINT)
    return _requirements(project, model)


def check_requirements(
    project: Project, gates: Mapping[str, str], *, today: date | None = None
) -> tuple[ThreatModel, list[Problem]]:
    """The threat model and everything that is wrong with it; raises ConfigError when it cannot be read."""
    source = read_yaml(project.path(project.requirements))
    model = parse_model(source)
    around = Surroundings(
        project=project,
        gates=gates,
        code=REPOSITORY,
        tests=is_checkout(REPOSITORY),
        today=today or datetime.now(UTC).date(),
    )
    return model, find_problems(model, source, around)


def gate_metrics(project: Project) -> dict[str, str]:
    """The project's gate rules as {name: metric}; whether the rules are right is for validate to say."""
    rules = read_yaml(project.path(project.gates)).values.get("gates", [])
    rules = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return {str(rule.get("name")): str(rule.get("metric")) for rule in rules}


def requirements_document(project: Project) -> bytes:
    """The threat model in canonical JSON: what `SecurityRequirements.digest` is the digest of."""
    return _canonical(parse_model(read_yaml(project.path(project.requirements))))


def parse_model(source: Source) -> ThreatModel:
    """The threat model in a file; raises ConfigError with file and line."""
    try:
        return ThreatModel.model_validate(source.values)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        # A misspelt key is also a missing one; the misspelling is the one to name.
        first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
        name = ".".join(map(str, first["loc"])) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{source.where(first['loc'])}: {name}: {message}", hint=_HINT) from error


def _canonical(model: ThreatModel) -> bytes:
    return canonical_json(model.model_dump(mode="json", exclude_unset=True))


def _requirements(project: Project, model: ThreatModel) -> SecurityRequirements:
    controls = [each for each in model.controls if any(each.key in t.controls for t in model.threats)]
    metrics = {each.gate: each.metric for each in controls if each.gate and each.metric}
    return SecurityRequirements(
        digest=digest_bytes(_canonical(model)),
        source=digest_file(project.path(project.requirements)),
        controls=tuple(sorted(each.key for each in controls)),
        gates=tuple(sorted(metrics)),
        metrics=metrics,
        settings={each.setting: setting_digest(project, each.setting) for each in controls if each.setting},
        waived=tuple(
            Waived(threat=threat.key, owner=threat.waiver.owner, expires=threat.waiver.expires)
            for threat in model.threats
            if threat.waiver is not None
        ),
        risks=tuple(sorted({threat.risk for threat in model.threats if threat.risk})),
    )
