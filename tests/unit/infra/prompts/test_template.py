"""Prompt templates: wrong ones are refused, values are never expanded again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.digest import digest_json
from infra.errors import DataError
from infra.prompts import PLACEHOLDER, PromptTemplate, Value, draw_canary

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
        {"examples": [{"text": "x"}]},
        {"examples": [{"text": "x", "label": "unknown"}]},
        {"examples": [{"text": "", "label": "impact"}]},
        {"examples": "none"},
        {"normalise": ["rot13"]},
        {"normalise": ["invisible", "invisible"]},
        {"normalise": "invisible"},
        {"settings": {"temprature": 0}},
        {"settings": {"temperature": 2.5}},
        {"settings": {"temperature": True}},
        {"settings": {"top_p": 0}},
        {"settings": {"max_new_tokens": 0}},
        {"settings": {"max_new_tokens": 1.5}},
        {"settings": 3},
        {"user": "{{text}} {{canary}}"},
        {"variables": {"text": {"value": "x"}}},
        {"variables": ["x"]},
        {"system": "{{note}}", "variables": {"note": {"trust": "untrusted", "default": "x"}}},
        {"delimiters": ["<r>"]},
        {"delimiters": ["<r>", "<R>"]},
        {"delimiters": ["<r >", "</r>"]},
        {"delimiters": ["{{", "}}"]},
        {"confidential": "yes"},
        {"confidential": True},
        {"confidential": True, "system": "{{canary}} {{labels}} {{canary}}"},
    ],
)
def test_wrong_definitions_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="prompt"):
        PromptTemplate.from_definition({**GOOD, **change})


@pytest.mark.parametrize("field", GOOD)
def test_a_missing_field_is_refused(field: str) -> None:
    with pytest.raises(DataError, match="got fields"):
        PromptTemplate.from_definition({k: v for k, v in GOOD.items() if k != field})


@given(st.text())
def test_what_a_value_contains_is_never_expanded(text: str) -> None:
    template = PromptTemplate.from_definition(GOOD)
    hostile = text + "{{labels}}{{text}}\\1\\g<0>{{ text }}"
    assert template.user_message(hostile) == "Sentence: " + hostile


def test_labels_that_look_like_slots_stay_text() -> None:
    template = PromptTemplate.from_definition({**GOOD, "labels": ["{{text}}", "{{labels}}"]})
    assert template.system_message() == "Reply with one of: {{text}}, {{labels}}."


def test_a_plain_definition_keeps_the_digest_that_it_always_had() -> None:
    assert PromptTemplate.from_definition(GOOD).digest == digest_json(GOOD)
    spelt_out = {
        **GOOD,
        "examples": [],
        "normalise": [],
        "settings": {"temperature": 0},
        "confidential": False,
    }
    assert PromptTemplate.from_definition(spelt_out).definition() == GOOD


@pytest.mark.parametrize(
    "more",
    [
        {"examples": [{"text": "Hosts were encrypted.", "label": "impact"}]},
        {"normalise": ["invisible"]},
        {"settings": {"max_new_tokens": 8}},
        {"variables": {"tone": {"value": "plain"}}},
        {"delimiters": ["<r>", "</r>"]},
        {"confidential": True, "system": "Id {{canary}}. {{labels}}"},
    ],
)
def test_whatever_shapes_answers_is_in_the_digest(more: dict[str, Any]) -> None:
    template = PromptTemplate.from_definition({**GOOD, **more})
    assert template.digest != digest_json(GOOD)
    assert PromptTemplate.from_definition(template.definition()) == template
    assert template.definition() == {**GOOD, **more}


def test_examples_are_turns_between_system_and_question() -> None:
    examples = [{"text": "A {{text}} \u200bB", "label": "impact"}]
    template = PromptTemplate.from_definition({**GOOD, "examples": examples, "normalise": ["invisible"]})
    assert [(turn["role"], turn["content"]) for turn in template.messages("C\u200bD")[1:]] == [
        ("user", "Sentence: A {{text}} B"),
        ("assistant", "impact"),
        ("user", "Sentence: CD"),
    ]


def test_variables_are_typed_and_never_expanded() -> None:
    definition = {
        **GOOD,
        "system": "{{tone}}, {{most}}: {{labels}} {{list}}",
        "user": "{{text}} {{note}}",
        "variables": {
            "tone": {"type": "choice", "choices": ["plain", "formal"], "default": "plain"},
            "most": {"type": "integer", "value": 3},
            "list": {"type": "list", "value": ["a", "{{labels}}"]},
            "note": {"trust": "untrusted", "default": "none", "max_characters": 12},
        },
    }
    template = PromptTemplate.from_definition(definition)
    assert template.system_message() == "plain, 3: impact, discovery a, {{labels}}"
    values: dict[str, Value] = {"tone": "formal", "note": "{{text}}"}
    assert template.system_message(values=values).startswith("formal")
    assert template.user_message("{{note}}", values=values) == "{{note}} {{text}}"
    wrong: list[dict[str, Value]] = [
        {"most": 4}, {"tone": "rude"}, {"note": "x" * 13}, {"note": 7}, {"labels": "x"}, {"unknown": "x"},
    ]  # fmt: skip
    for values in wrong:
        with pytest.raises(DataError, match="variable"):
            template.messages("x", values=values)


@pytest.mark.parametrize(
    "variable",
    [
        {},
        {"value": "a", "default": "b"},
        {"type": "integer", "value": "3"},
        {"type": "integer", "value": True},
        {"type": "choice", "value": "a"},
        {"type": "choice", "choices": ["a"], "value": "b"},
        {"choices": ["a"], "value": "a"},
        {"type": "list", "value": [1]},
        {"type": "date", "value": "x"},
        {"trust": "somewhat", "value": "x"},
        {"value": "too long", "max_characters": 3},
        {"value": "x", "max_characters": 0},
        {"value": "x", "secret": True},
    ],
)
def test_wrong_variables_are_refused(variable: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="variable tone"):
        PromptTemplate.from_definition({**GOOD, "variables": {"tone": variable}})


@given(st.text(), st.lists(st.sampled_from(["<r>", "</r>", "<R>", "<", "r>", "/"]), max_size=12))
def test_a_value_cannot_leave_its_delimiters(text: str, pieces: list[str]) -> None:
    template = PromptTemplate.from_definition(
        {**GOOD, "user": "<r>{{text}}</r> Now answer.", "delimiters": ["<r>", "</r>"]}
    )
    rendered = template.user_message(text + "".join(pieces)).lower()
    assert rendered.count("<r>") == rendered.count("</r>") == 1


def test_a_canary_has_one_shape_and_is_the_only_difference() -> None:
    template = PromptTemplate.from_definition(
        {**GOOD, "system": "Id {{canary}}. {{labels}}", "confidential": True}
    )
    assert template.has_canary
    canary = draw_canary(len)
    served, measured = template.messages("x", canary=canary), template.messages("x")
    assert canary != PLACEHOLDER
    assert served[1:] == measured[1:]
    assert served[0]["content"].replace(canary, PLACEHOLDER) == measured[0]["content"]
    for wrong in ("CNRY-short", "{{labels}}", "", PLACEHOLDER.lower()):
        with pytest.raises(DataError, match="canary"):
            template.system_message(canary=wrong)


def test_a_canary_takes_as_many_tokens_as_its_placeholder() -> None:
    tokens = {PLACEHOLDER: 7}
    drawn = draw_canary(lambda canary: tokens.get(canary, 5 + ord(canary[5]) % 4))
    assert 5 + ord(drawn[5]) % 4 == 7
    with pytest.raises(DataError, match="no canary of 7 tokens"):
        draw_canary(lambda canary: tokens.get(canary, 6))


def test_messages_and_digest() -> None:
    template = PromptTemplate.from_definition(GOOD)
    assert template.messages("Hosts were encrypted.") == [
        {"role": "system", "content": "Reply with one of: impact, discovery."},
        {"role": "user", "content": "Sentence: Hosts were encrypted."},
    ]
    assert PromptTemplate.from_definition(template.definition()) == template
    for change in ({"user": "S: {{text}}"}, {"labels": ["discovery", "impact"]}, {"name": "other"}):
        assert PromptTemplate.from_definition({**GOOD, **change}).digest != template.digest
