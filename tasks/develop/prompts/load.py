"""Prompt templates from reviewed files, identified by the digest of what is served.

prompt = load_prompt(Path("configs/prompts/triage.yaml"), dataset.labels)
to_template(prompt).messages("The actor encrypted the hosts.")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from infra.errors import ConfigError, IntegrityError
from infra.prompts import Example, PromptTemplate
from tasks.develop.prompts.draft import Count
from tasks.develop.prompts.lint import review
from tasks.records.prompt import PromptVersion


class Labelled(Protocol):
    """A text with its right answer: an example, or a row of a data set."""

    @property
    def text(self) -> str:
        """What was asked."""

    @property
    def label(self) -> str:
        """What is right."""


def load_prompt(
    file: Path, labels: Sequence[str], *, examples: Sequence[Labelled] = (), count: Count | None = None
) -> PromptVersion:
    """The template in a YAML file with the data set's labels and curated examples.

    Raises ConfigError with file and line of the first error that lint finds, and how many there are.
    """
    shown = [Example(each.text, each.label) for each in examples]
    findings, template = review(file, labels, shown, count)
    errors = [each for each in findings if each.severity == "error"]
    if errors or template is None:
        first, more = errors[0], len(errors) - 1
        hint = first.hint + (f" ({more} more: assay prompt lint {file})" if more else "")
        raise ConfigError(f"{first.file}:{first.line}: {first.message}", hint=hint.strip())
    return as_version(template)


def as_version(template: PromptTemplate) -> PromptVersion:
    """The record of a template."""
    return PromptVersion(digest=template.digest, definition=template.definition())


def to_template(prompt: PromptVersion) -> PromptTemplate:
    """The template that is served; raises IntegrityError when it is not what the digest says."""
    template = PromptTemplate.from_definition(prompt.definition)
    if template.digest != prompt.digest:
        raise IntegrityError(
            f"prompt {prompt.name}: its content is {template.digest}, expected {prompt.digest}"
        )
    return template
