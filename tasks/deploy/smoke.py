"""The question before going live: does the served unit answer what was measured?

check_answers(expected, lambda text: ask(...))
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.errors import IntegrityError


@dataclass(frozen=True)
class Expected:
    """A text and the label that validation measured for it."""

    text: str
    label: str


def check_answers(questions: Sequence[Expected], ask: Callable[[str], str]) -> None:
    """Raises IntegrityError unless every answer equals the measured label, and there was a question."""
    if not questions:
        raise IntegrityError("smoke test has no questions", hint="run validate again")
    for number, question in enumerate(questions, start=1):
        if (answer := ask(question.text)) != question.label:
            raise IntegrityError(
                f"smoke test {number} of {len(questions)}: got {answer[:80]!r},"
                f" validation measured {question.label!r}",
                hint="the served unit does not behave as measured; nothing was promoted",
            )
