"""A decision as an in-toto statement: release and gate report are its subjects, the rest its predicate.

bundle = signer.sign(decision_statement(decision))
decision_of(content, "decision")          # the decision, or IntegrityError
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from infra.errors import IntegrityError
from infra.signing.dsse import statement, subjects_of
from infra.signing.manifest import GATE_REPORT, MANIFEST
from tasks.records import Decision

PREDICATE_TYPE = "urn:assay:approval:v1"
_SUBJECTS = {"release": MANIFEST, "gate_report": GATE_REPORT}


def decision_statement(decision: Decision) -> dict[str, Any]:
    """What the approver signs."""
    predicate = decision.model_dump(mode="json")
    subjects = {name: predicate["binding"].pop(field) for field, name in _SUBJECTS.items()}
    return statement(subjects, PREDICATE_TYPE, predicate)


def decision_of(content: Mapping[str, Any], name: str) -> Decision:
    """The decision in a verified statement; raises IntegrityError for anything else."""
    if content.get("predicateType") != PREDICATE_TYPE:
        raise IntegrityError(f"{name}: signs a {content.get('predicateType')!r}, not a decision")
    subjects, predicate = subjects_of(content, name), content.get("predicate")
    binding = predicate.get("binding") if isinstance(predicate, dict) else None
    if set(subjects) != set(_SUBJECTS.values()) or not isinstance(predicate, dict):
        raise IntegrityError(f"{name}: not about exactly one release and its gate report")
    if not isinstance(binding, dict) or set(_SUBJECTS) & set(binding):
        raise IntegrityError(f"{name}: says in two places what it is about")
    bound = {**binding, **{field: subjects[file] for field, file in _SUBJECTS.items()}}
    try:
        decision = Decision.model_validate({**predicate, "binding": bound})
    except (ValidationError, TypeError) as error:
        raise IntegrityError(f"{name}: not a decision: {type(error).__name__}") from error
    # Read leniently, a time could be written in two ways: what is signed is the one form that we write.
    if decision_statement(decision) != dict(content):
        raise IntegrityError(f"{name}: not in canonical form")
    return decision
