"""Find, merge and check configuration; the only module that reads files and `ASSAY_` variables for it."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from infra.config.file_only import refuse_variable
from infra.config.project import Project
from infra.config.source import Location, Source, merged, read_yaml
from infra.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[2]
_OWN_VARIABLES = {"ASSAY_HOME", "ASSAY_PROJECT", "ASSAY_PROFILE", "ASSAY_CONFIGS"}
_LOADER_FIELDS = {"home", "root", "file", "profile"}


def config_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of configuration files: ASSAY_CONFIGS, or `configs/` beside the code."""
    return Path(environ.get("ASSAY_CONFIGS") or REPOSITORY / "configs").absolute()


def state_home(environ: Mapping[str, str] = os.environ) -> Path:
    """ASSAY_HOME (default `.assay/` beside the code), created 0700 and absolute."""
    home = Path(environ.get("ASSAY_HOME") or REPOSITORY / ".assay").absolute()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"ASSAY_HOME={home}: cannot be used: {error.strerror}", hint="choose another directory"
        ) from error
    return home


def profile_names(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Names of the profiles that exist."""
    return sorted(file.stem for file in (config_root(environ) / "profiles").glob("*.yaml"))


def project_file(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The YAML file of a project under `configs/`; raises ConfigError for an unknown name."""
    known = _project_files(environ)
    if name in known:
        return known[name]
    raise ConfigError(
        f"no project {name!r}", hint=_nearest(name, known) or f"projects: {', '.join(sorted(known))}"
    )


def _project_files(environ: Mapping[str, str]) -> dict[str, Path]:
    root = config_root(environ)
    files = {file.parent.name: file for file in sorted(root.glob("*/*/project.yaml"))}
    return {"default": root / "project.yaml", **files}


def project_names(environ: Mapping[str, str] = os.environ) -> list[str]:
    """`default` (configs/project.yaml) and every `configs/*/<name>/project.yaml`."""
    return list(_project_files(environ))


def load_project(
    name: str | None = None, *, profile: str | None = None, environ: Mapping[str, str] = os.environ
) -> Project:
    """The resolved project: file, then the profile's overrides, then `ASSAY_SECTION__KEY` variables.

    Raises ConfigError naming file, line and the nearest valid key, or a variable for what only files set.
    """
    file = project_file(name or environ.get("ASSAY_PROJECT") or "default", environ)
    base = read_yaml(file)
    profile = profile or environ.get("ASSAY_PROFILE") or "embedded"
    if profile not in profile_names(environ):
        hint = _nearest(profile, profile_names(environ)) or f"profiles: {', '.join(profile_names(environ))}"
        raise ConfigError(f"no profile {profile!r}", hint=hint)
    overrides = read_yaml(config_root(environ) / "profiles" / f"{profile}.yaml")
    variables = environment_overrides(environ)
    for source in (base, overrides, variables):
        _refuse_unknown(source, Project, source.values, ())
    values = merged(merged(base.values, overrides.values), variables.values)
    try:
        project = Project.model_validate(
            {**values, "home": state_home(environ), "root": file.parent, "file": file, "profile": profile}
        )
    except ValidationError as error:
        raise _explain(error, [variables, overrides, base]) from error
    return project


def environment_overrides(environ: Mapping[str, str]) -> Source:
    """`ASSAY_TRAINING__EPOCHS=1` as `{"training": {"epochs": 1}}`; values are parsed as YAML.

    Raises ConfigError for no YAML, and for a setting that only files set (`infra.config.file_only`).
    """
    values: dict[str, Any] = {}
    for name in sorted(environ):
        if not name.startswith("ASSAY_") or name in _OWN_VARIABLES:
            continue
        keys = name.removeprefix("ASSAY_").lower().split("__")
        try:
            value = yaml.safe_load(environ[name])
        except yaml.YAMLError as error:
            raise ConfigError(f"environment variable {name}: not a YAML value: {error}") from error
        nested: Any = value
        for key in reversed(keys):
            nested = {key: nested}
        refuse_variable(name, nested)
        values = merged(values, nested)
    return Source(Path("environment"), values)


def _refuse_unknown(source: Source, model: type[BaseModel], values: dict[str, Any], at: Location) -> None:
    valid = {key for key in model.model_fields if not (model is Project and key in _LOADER_FIELDS)}
    for key, value in values.items():
        if key not in valid:
            name = ".".join(map(str, (*at, key)))
            hint = _nearest(str(key), valid) or f"valid keys: {', '.join(sorted(valid))}"
            raise ConfigError(f"{source.where((*at, key))}: unknown key {name!r}", hint=hint)
        inner = model.model_fields[key].annotation
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, BaseModel):
            _refuse_unknown(source, inner, value, (*at, key))


def _explain(error: ValidationError, sources: list[Source]) -> ConfigError:
    first = error.errors(include_url=False)[0]
    location: Location = tuple(first["loc"])
    source = next((s for s in sources if location[:1] and _holds(s, location)), sources[-1])
    name = ".".join(map(str, location)) or "settings"
    got = "" if first["type"] in ("missing", "secret_reference") else f", got {first['input']!r}"
    message = f"{source.where(location)}: {name}: {first['msg']}{got if len(got) < 120 else ''}"
    return ConfigError(message, hint="see configs/schema/project.schema.json for every key and its unit")


def _holds(source: Source, location: Location) -> bool:
    value: Any = source.values
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _nearest(name: str, valid: object) -> str:
    close = difflib.get_close_matches(name, [str(v) for v in valid], n=1)  # type: ignore[attr-defined]  # any iterable
    return f"did you mean {close[0]!r}?" if close else ""
