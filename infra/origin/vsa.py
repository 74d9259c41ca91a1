"""SLSA verification summaries v1: what a verifier checked, under which policy, and what came of it.

predicate = passed_summary(unit, policy=digest, inputs={"adapter.sig": digest}, time=now)
check_summary(predicate)                  # DataError unless it has the form that the specification gives

Specification: slsa.dev/spec/v1.0/verification_summary. The schema in in-toto-attestation 0.9.3 takes one text
for `verifiedLevels` where the specification has a list, so the form is checked here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from infra.digest import hex_of
from infra.errors import DataError

VERIFIER = "urn:assay:deploy"
# The builder does not sign with an identity of its own, so nothing above level 1 is claimed.
_LEVELS = ["SLSA_BUILD_LEVEL_1"]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Uri = Annotated[str, StringConstraints(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True)


class _Verifier(_Part):
    id: Uri


class _Digests(_Part):
    sha256: Hex


class _Resource(_Part):
    uri: Uri
    digest: _Digests


class Summary(_Part):
    """The predicate; closed, with every field that a reader of ours relies on."""

    verifier: _Verifier
    time_verified: Annotated[AwareDatetime, Field(strict=False)]
    resource_uri: Uri
    policy: _Resource
    input_attestations: list[_Resource] = Field(min_length=1)
    verification_result: Literal["PASSED", "FAILED"]
    verified_levels: list[Uri] = Field(min_length=1)
    slsa_version: Literal["1.0"]


def passed_summary(unit: str, *, policy: str, inputs: Mapping[str, str], time: datetime) -> dict[str, Any]:
    """The predicate of a verification that passed; `inputs`: digest of each statement by file name."""
    return {
        "verifier": {"id": VERIFIER},
        "timeVerified": time.isoformat(timespec="seconds"),
        "resourceUri": f"urn:assay:unit:{unit}",
        "policy": _resource("trust.json", policy),
        "inputAttestations": [_resource(name, digest) for name, digest in sorted(inputs.items())],
        "verificationResult": "PASSED",
        "verifiedLevels": _LEVELS,
        "slsaVersion": "1.0",
    }


def check_summary(predicate: object) -> None:
    """Raises DataError naming the first field that is not as specified."""
    try:
        Summary.model_validate(predicate)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "predicate"
        raise DataError(f"verification summary: {where}: {first['msg']}") from error


def _resource(uri: str, digest: str) -> dict[str, Any]:
    return {"uri": uri, "digest": {"sha256": hex_of(digest)}}
