"""Prompt templates: wrong ones are refused, values are never expanded again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import DataError
from infra.prompts import PromptTemplate

GOOD: dict[str, Any] = {
    "name": "triage",
    "system": "Reply with one of: {{labels}}.",
    "user": "Sentence: {{text}}",
    "labels": ["impact", "discovery"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"system": "uses {{text}}"},
        {"system": "uses {{secret}}"},
        {"user": "no slot"},
        {"user": "{{text}} and {{text}}"},
        {"user": "{{ text }} and {{labels}}"},
        {"user": "{{labels}}"},
        {"labels": []},
        {"labels": ["impact", ""]},
        {"labels": ["impact", 7]},
        {"labels": None},
        {"labels": 5},
        {"labels": "impact"},
        {"labels": ["impact", "impact"]},
        {"name": ""},
        {"name": 5},
        {"system": None},
        {"user": ["{{text}}"]},
        {"extra": "field"},
    ],
)
def test_wrong_definitions_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="prompt"):
        PromptTemplate.from_definition({**GOOD, **change})


@pytest.mark.parametrize("field", GOOD)
def test_a_missing_field_is_refused(field: str) -> None:
    with pytest.raises(DataError, match="expected"):
        PromptTemplate.from_definition({k: v for k, v in GOOD.items() if k != field})


@given(st.text())
def test_what_a_value_contains_is_never_expanded(text: str) -> None:
    template = PromptTemplate.from_definition(GOOD)
    hostile = text + "{{labels}}{{text}}\\1\\g<0>{{ text }}"
    assert template.user_message(hostile) == "Sentence: " + hostile


def test_labels_that_look_like_slots_stay_text() -> None:
    template = PromptTemplate.from_definition({**GOOD, "labels": ["{{text}}", "{{labels}}"]})
    assert template.system_message() == "Reply with one of: {{text}}, {{labels}}."


def test_messages_and_digest() -> None:
    template = PromptTemplate.from_definition(GOOD)
    assert template.messages("Hosts were encrypted.") == [
        {"role": "system", "content": "Reply with one of: impact, discovery."},
        {"role": "user", "content": "Sentence: Hosts were encrypted."},
    ]
    assert PromptTemplate.from_definition(template.definition()) == template
    for change in ({"user": "S: {{text}}"}, {"labels": ["discovery", "impact"]}, {"name": "other"}):
        assert PromptTemplate.from_definition({**GOOD, **change}).digest != template.digest
