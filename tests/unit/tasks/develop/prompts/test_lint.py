"""Lint finds everything at once, by rule and line, and leaves honest prompts alone."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.errors import ConfigError
from infra.prompts import Example
from tasks.develop.prompts import lint_prompt, load_prompt
from tasks.develop.prompts.lint.secrets import random_words
from tasks.records.prompt import LintFinding

LABELS = ("impact", "discovery")
GOOD = 'name: triage\nsystem: "One of {{labels}}."\nuser: "{{text}}"\nnormalise: [invisible]\n'


def lint(
    tmp_path: Path, content: str, examples: Sequence[Example] = (), tokens: int = 50
) -> tuple[LintFinding, ...]:
    file = tmp_path / "prompt.yaml"
    file.write_text(content, encoding="utf-8")
    return lint_prompt(file, LABELS, examples=examples, count=lambda _messages: tokens)


def test_a_good_prompt_has_no_findings(tmp_path: Path) -> None:
    assert lint(tmp_path, GOOD) == ()


@pytest.mark.parametrize(
    ("change", "rule", "line"),
    [
        (("user:", "usr:"), "schema", 3),
        (("triage", "Tri age"), "schema", 1),
        (("[invisible]", "[rot13]"), "schema", 4),
        (("[invisible]", "[invisible]\nsettings: {temprature: 1}"), "schema", 5),
        (("[invisible]", "[invisible]\nsettings: {temperature: 0.7}"), "sampling", 5),
        (("[invisible]", "[invisible]\nvariables: {tone: {value: x}}"), "variable-unused", 5),
        (("[invisible]", "[invisible]\nvariables: {tone: {vlaue: x}}"), "schema", 5),
        (("{{labels}}", "{{labels}} {{tone}}"), "slot-undeclared", 2),
        (("{{labels}}", "{{text}}"), "untrusted-system", 2),
        (("{{text}}", "text"), "text-slot", 3),
        (("{{text}}", "{{text}} {{text}}"), "text-slot", 3),
        (("{{text}}", "{{text.x}}"), "braces", 3),
        (("{{text}}", "{{text}} Answer now."), "undelimited", 3),
        (("[invisible]", "[invisible]\nconfidential: true"), "canary-missing", 5),
        (("[invisible]", "[invisible]\nmax_prompt_tokens: 49"), "budget", 5),
        (("One of", "<|im_end|> One of"), "control-token", 2),
        (("One of", "One\u200b of"), "invisible", 2),
        (("One of", "password: hunter2hunter2, one of"), "secret", 2),
        (("One of", "Key 7f3KqP9zLm2XvT8RwB4n: one of"), "entropy", 2),
        (("One of", "Follow the instructions in the report. One of"), "authority", 2),
    ],
)
def test_each_rule_finds_its_error(tmp_path: Path, change: tuple[str, str], rule: str, line: int) -> None:
    findings = lint(tmp_path, GOOD.replace(*change))
    errors = {(each.rule, each.line) for each in findings if each.severity == "error"}
    assert (rule, line) in errors
    assert len({each for each, _ in errors}) == 1, findings


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("normalise: [invisible]\n", ""), "not-normalised"),
        (("{{labels}}", "the tactics"), "labels-unused"),
        (("{{text}}", "Report: {{text}}"), "undelimited"),
        (("{{labels}}", "{{labels}} {{canary}}"), "canary-idle"),
    ],
)
def test_what_is_only_doubtful_is_a_warning_and_loads(
    tmp_path: Path, change: tuple[str, str], rule: str
) -> None:
    (finding,) = lint(tmp_path, GOOD.replace(*change))
    assert (finding.rule, finding.severity) == (rule, "warning")
    load_prompt(tmp_path / "prompt.yaml", LABELS)


def test_all_findings_come_at_once_and_loading_names_how_many(tmp_path: Path) -> None:
    content = GOOD.replace("One of", "password: hunter2hunter2 <|im_end|> {{tone}}").replace(
        "{{text}}", "text"
    )
    findings = lint(tmp_path, content)
    assert {each.rule for each in findings} == {"secret", "control-token", "slot-undeclared", "text-slot"}
    assert all("hunter2" not in each.message + each.hint for each in findings)
    with pytest.raises(ConfigError) as caught:
        load_prompt(tmp_path / "prompt.yaml", LABELS)
    assert caught.value.message.startswith(f"{tmp_path}/prompt.yaml:2: ")
    assert "3 more" in caught.value.hint


def test_untrusted_variables_stay_out_of_the_system_role(tmp_path: Path) -> None:
    content = GOOD.replace("{{labels}}", "{{labels}} {{note}}")
    content += "variables: {note: {trust: untrusted, default: none}}\n"
    assert [each.rule for each in lint(tmp_path, content)] == ["untrusted-system"]


def test_delimited_text_may_be_followed_by_words(tmp_path: Path) -> None:
    content = GOOD.replace("{{text}}", "<r>{{text}}</r> Answer now.") + "delimiters: [<r>, </r>]\n"
    assert lint(tmp_path, content) == ()
    assert [each.rule for each in lint(tmp_path, content.replace("<r>{{", "{{"))] == ["undelimited"]


def test_examples_are_checked_like_the_prompt(tmp_path: Path) -> None:
    bad = [Example("AKIA" + "IOSFODNN7EXAMPLE", "impact"), Example("x", "unknown")]
    assert {each.rule for each in lint(tmp_path, GOOD, bad)} == {"secret", "examples"}


def test_an_unreadable_file_is_no_finding_but_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="malformed"):
        lint(tmp_path, "name: [")


@pytest.mark.parametrize(
    "word",
    [
        "7f3KqP9zLm2XvT8RwB4n",
        "d41d8cd98f00b204e9800998ecf8427e",
        "mfrggzdfmztwq2lknnwg23tpoa",
        "c2VjcmV0LWtleS1mb3ItdGVzdHM=",
    ],
)
def test_random_words_are_found(word: str) -> None:
    assert random_words(f"use {word} here") == 1


@pytest.mark.parametrize(
    "word",
    [
        "state-of-the-art-classification",
        "https://attack.mitre.org/techniques/T1566/001",
        "internationalization_of_responses",
        "CVE-2024-12345-proof-of-concept",
        "2024-11-23T02:00:00",
        "SmolLM2-135M-Instruct-v0",
        "getUserNameFromTheDatabaseTable",
        "====================",
    ],
)
def test_long_ordinary_words_are_fine(word: str) -> None:
    assert random_words(f"see {word} there") == 0
