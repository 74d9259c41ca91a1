"""Lint of prompt files: every finding with file, line, severity and rule, not only the first.

findings = lint_prompt(Path("configs/prompts/triage.yaml"), dataset.labels)
"""

from collections.abc import Sequence
from pathlib import Path

from infra.errors import DataError
from infra.prompts import Example, PromptTemplate
from tasks.develop.prompts.draft import Count, Draft, read_draft
from tasks.develop.prompts.lint.structure import check_labels, check_schema, check_settings
from tasks.develop.prompts.lint.variables import check_slots
from tasks.develop.prompts.lint.words import check_words
from tasks.records.prompt import LintFinding

_CHECKS = (check_schema, check_slots, check_words, check_labels, check_settings)


def lint_prompt(
    file: Path, labels: Sequence[str], *, examples: Sequence[Example] = (), count: Count | None = None
) -> tuple[LintFinding, ...]:
    """All findings, by line; raises ConfigError when the file is no readable YAML mapping.

    `count` gives the tokens of a rendered conversation; without it the length budget is not checked.
    """
    return review(file, labels, examples, count)[0]


def review(
    file: Path, labels: Sequence[str], examples: Sequence[Example] = (), count: Count | None = None
) -> tuple[tuple[LintFinding, ...], PromptTemplate | None]:
    """The findings and, unless one is an error, the template."""
    draft = read_draft(file, labels, examples)
    for check in _CHECKS:
        check(draft)
    template = None if draft.has_errors else _template(draft)
    if template is not None and count is not None:
        _check_budget(draft, template, count)
    order = sorted(draft.findings, key=lambda each: (each.line, each.severity, each.rule))
    return tuple(order), None if draft.has_errors else template


def _template(draft: Draft) -> PromptTemplate | None:
    assert draft.content is not None, "a file without errors fits its schema"
    examples = [{"text": each.text, "label": each.label} for each in draft.examples]
    definition = {**draft.content.definition(), "labels": list(draft.labels), "examples": examples}
    try:
        return PromptTemplate.from_definition(definition)
    except DataError as error:
        draft.error("definition", (), error.message.removeprefix("prompt: "), error.hint)
        return None


def _check_budget(draft: Draft, template: PromptTemplate, count: Count) -> None:
    assert draft.content is not None
    tokens, most = count(template.messages("")), draft.content.max_prompt_tokens
    if tokens > most:
        draft.error(
            "budget",
            ("max_prompt_tokens",),
            f"the prompt alone takes {tokens} tokens, its budget is {most}",
            "shorten it, show fewer examples, or raise max_prompt_tokens",
        )
