"""What a template must fulfil before anything is rendered; lint says more, this refuses.

check_template(template)      # raises DataError
"""

import re
from typing import TYPE_CHECKING

from infra.errors import DataError
from infra.normalisation import STEPS
from infra.prompts.slots import slots

if TYPE_CHECKING:
    from infra.prompts.template import PromptTemplate


def check_template(template: "PromptTemplate") -> None:
    """Raises DataError for empty or doubled texts, unknown steps, and slots where they must not stand."""
    _check_texts(template)
    _check_normalisation(template)
    _check_slots(template)
    _check_delimiters(template)


def _check_texts(template: "PromptTemplate") -> None:
    texts = (template.name, template.system, template.user, *template.labels)
    if not template.labels or not all(isinstance(text, str) and text for text in texts):
        raise DataError("prompt: every field must be text, and labels a non-empty list")
    if len(set(template.labels)) != len(template.labels):
        raise DataError(f"prompt {template.name}: a label is listed twice")
    if type(template.confidential) is not bool:
        raise DataError(
            f"prompt {template.name}: confidential is {template.confidential!r}, expected true or false"
        )
    if odd := [each.label for each in template.examples if each.label not in template.labels]:
        raise DataError(f"prompt {template.name}: an example has the label {odd[0]!r}, which is not listed")


def _check_normalisation(template: "PromptTemplate") -> None:
    if unknown := [step for step in template.normalise if step not in STEPS]:
        raise DataError(f"prompt {template.name}: normalise knows {STEPS}, got {unknown[0]!r}")
    if len(set(template.normalise)) != len(template.normalise):
        raise DataError(f"prompt {template.name}: a step of normalise is listed twice")


def _check_slots(template: "PromptTemplate") -> None:
    declared = {each.name for each in template.variables}
    trusted = {each.name for each in template.variables if each.trust == "trusted"}
    of_system = {"labels", "canary"} | trusted
    system_slots, user_slots = slots(template.system), slots(template.user)
    if set(system_slots) - of_system:
        raise DataError(
            f"prompt {template.name}: system uses {system_slots}, only {sorted(of_system)} may stand there"
        )
    if template.confidential and system_slots.count("canary") != 1:
        raise DataError(
            f"prompt {template.name}: system is confidential and has {system_slots.count('canary')} slots"
            " {{canary}}, expected one",
            hint="without it a leak of the text would not be seen in an answer",
        )
    if user_slots.count("text") != 1 or set(user_slots) - {"text"} - declared:
        raise DataError(
            f"prompt {template.name}: user uses {user_slots}, expected text exactly once"
            f"{''.join(f', {name}' for name in sorted(declared))}"
        )


def _check_delimiters(template: "PromptTemplate") -> None:
    marks = template.delimiters
    sane = all(mark and not re.search(r"\s|\{\{|\}\}", mark) for mark in marks)
    if marks and (len({mark.lower() for mark in marks}) != 2 or len(marks) != 2 or not sane):
        raise DataError(
            f"prompt {template.name}: delimiters are {list(marks)}",
            hint="expected two different texts without blanks and double braces",
        )
