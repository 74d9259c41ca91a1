"""What every part of the configuration is: frozen, closed, without NaN; and the types that parts share."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from infra.config.secrets import FORMS, SCHEMES

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Endpoint = Annotated[str, StringConstraints(pattern=r"^https?://[^/]+/?$")]


def _is_reference(value: str) -> str:
    if not value.startswith(SCHEMES):
        # Of this type, so that the loader does not repeat what may be the secret itself.
        raise PydanticCustomError("secret_reference", f"expected {FORMS}, never the value")
    return value


SecretReference = Annotated[str, AfterValidator(_is_reference)]


class Section(BaseModel):
    """A frozen part of the configuration that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
