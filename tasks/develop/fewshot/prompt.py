"""A prompt with examples in it: another definition, so another digest.

with_examples(template, examples.first(11)).messages("The actor encrypted the hosts.")
"""

import dataclasses
from collections.abc import Sequence

from infra.errors import DataError
from infra.prompts import Example, PromptTemplate
from tasks.records.examples import ShownExample


def with_examples(template: PromptTemplate, examples: Sequence[ShownExample]) -> PromptTemplate:
    """The template with exactly these examples; raises DataError for a label it does not know."""
    if unknown := sorted({example.label for example in examples} - set(template.labels)):
        raise DataError(
            f"prompt {template.name}: an example has the label {unknown[0]!r}, expected one of"
            f" {', '.join(template.labels)}",
            hint="curate the examples from the data set that the prompt was made for",
        )
    return dataclasses.replace(
        template, examples=tuple(Example(example.text, example.label) for example in examples)
    )
