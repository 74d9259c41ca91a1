"""A waiver as an in-toto statement: the candidate is its subject, everything else its predicate.

waiver_of(waiver_statement(waiver, signed_on), "floor.json")     # (the waiver, the day), or IntegrityError
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from infra.errors import IntegrityError
from infra.signing.dsse import statement, subjects_of
from tasks.records import Waiver

PREDICATE_TYPE = "urn:assay:waiver:v1"
_SUBJECT = "candidate"


def waiver_statement(waiver: Waiver, signed_on: date) -> dict[str, Any]:
    """What the owner signs."""
    content = waiver.model_dump(mode="json", exclude={"candidate"})
    predicate = {**content, "signedOn": signed_on.isoformat()}
    return statement({_SUBJECT: waiver.candidate}, PREDICATE_TYPE, predicate)


def waiver_of(content: Mapping[str, Any], name: str) -> tuple[Waiver, date]:
    """The waiver in a verified statement and the day of its signature; raises IntegrityError."""
    if content.get("predicateType") != PREDICATE_TYPE:
        raise IntegrityError(f"{name}: signs a {content.get('predicateType')!r}, not a waiver")
    subjects = subjects_of(content, name)
    predicate = content.get("predicate")
    if set(subjects) != {_SUBJECT} or not isinstance(predicate, dict) or _SUBJECT in predicate:
        raise IntegrityError(f"{name}: not about exactly one candidate")
    fields = {key: value for key, value in predicate.items() if key != "signedOn"}
    try:
        signed_on = date.fromisoformat(predicate["signedOn"])
        return Waiver.model_validate({**fields, "candidate": subjects[_SUBJECT]}), signed_on
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise IntegrityError(f"{name}: not a waiver: {type(error).__name__}") from error
