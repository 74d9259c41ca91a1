"""A setting by its dotted name, and the digest of its value.

setting_value(project, "gateway.max_tokens")     # 128; KeyError when there is no such setting
setting_digest(project, "gateway.max_tokens")
"""

from typing import get_args

from pydantic import BaseModel, JsonValue

from infra.config.project import Project
from infra.digest import digest_json


def setting_value(project: Project, name: str) -> object:
    """The value of a setting; raises KeyError for a name that no setting has."""
    value: object = project
    for part in name.split("."):
        if not isinstance(value, BaseModel) or part not in type(value).model_fields:
            raise KeyError(name)
        value = getattr(value, part)
    return value


def is_setting(name: str) -> bool:
    """Whether some project can have this setting, values aside."""
    kind: object = Project
    for part in name.split("."):
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)) or part not in kind.model_fields:
            return False
        annotation: object = kind.model_fields[part].annotation
        models = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
        kind = next((each for each in models if issubclass(each, BaseModel)), annotation)
    return True


def setting_digest(project: Project, name: str) -> str:
    """Digest of the value; raises KeyError for a name that no setting has."""
    return digest_json([plain(setting_value(project, name))])


def plain(value: object) -> JsonValue:
    """A setting's value as JSON."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"))
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)
