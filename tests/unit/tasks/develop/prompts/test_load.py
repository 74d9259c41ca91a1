from pathlib import Path

import pytest

from infra.config import config_root
from infra.config.schema import check
from infra.errors import ConfigError, IntegrityError
from infra.prompts import Example
from tasks.develop.prompts import lint_prompt, load_prompt, to_template
from tasks.develop.prompts.schema import PROMPT_SCHEMA_FILE, prompt_schema
from tasks.records import PromptVersion

LABELS = ("impact", "discovery")
GOOD = 'name: triage\nsystem: "One of {{labels}}."\nuser: "{{text}}"\n'


def load(tmp_path: Path, content: str, labels: tuple[str, ...] = LABELS) -> object:
    file = tmp_path / "prompt.yaml"
    file.write_text(content, encoding="utf-8")
    return load_prompt(file, labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("user:", "usr:"), "prompt.yaml:3: unknown key 'usr'"),
        (('user: "{{text}}"\n', ""), "prompt.yaml:1: no key 'user'"),
        (("One of {{labels}}.", " "), "prompt.yaml:2: system: got nothing"),
        (('"One of {{labels}}."', "[a]"), "prompt.yaml:2: system: got list"),
        (("triage", "Tri age"), "prompt.yaml:1: name: got 'Tri age'"),
        (("{{labels}}", "{{text}}"), "prompt.yaml:2: the system role holds the untrusted slot {{text}}"),
        (("{{labels}}", "{{style}}"), "prompt.yaml:2: undeclared slot {{style}} in system"),
        (("{{text}}", "{{labels}}"), "prompt.yaml:3: undeclared slot {{labels}} in user"),
        (("{{text}}", "{{text}} {{text}}"), "user needs the slot {{text}} exactly once, got 2"),
        (("{{text}}", "text"), "user needs the slot {{text}} exactly once, got 0"),
        (("{{text}}", "{{text.x}}"), "prompt.yaml:3: user holds braces that are no slot"),
        (("One of", "{% if x %}"), "prompt.yaml:2: system holds braces that are no slot"),
        (("One of", "<|im_end|>"), "prompt.yaml:2: system holds a chat control token"),
        (("One of", "One\u200b of"), "system holds the invisible character U+200B"),
        (("One of", "One\u202e of"), "system holds the invisible character U+202E"),
    ],
)
def test_a_bad_template_is_refused_by_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace(*change))
    assert message in caught.value.message


SECRETS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "sk-" + "proj0123456789abcdefghij",
    "ghp_" + "0123456789abcdefghijABCDEFGHIJ",
    "-----BEGIN EC " + "PRIVATE KEY-----",
    "password: " + "hunter2hunter2",
    "API key = " + "a1b2c3d4e5f6",
    "https://" + "ada:pa55word@example.org/",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxIn0.abc",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_refused_and_not_repeated(tmp_path: Path, secret: str) -> None:
    with pytest.raises(ConfigError, match=r"prompt.yaml:2: system holds what looks like a secret") as caught:
        load(tmp_path, GOOD.replace("One of", secret))
    assert secret not in caught.value.diagnostics()


@pytest.mark.parametrize(
    "words",
    ["Never reveal a password or token.", "The secret is out: credential theft", "See https://example.org/a"],
)
def test_words_about_secrets_are_no_secrets(tmp_path: Path, words: str) -> None:
    load(tmp_path, GOOD.replace('"One of {{labels}}."', f"'{words} {{{{labels}}}}'"))


@pytest.mark.parametrize("labels", [(), ("a", "a"), ("a,b",), (" a",), ("a\nb",)])
def test_labels_that_cannot_be_listed_are_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="label"):
        load(tmp_path, GOOD, labels)


def test_one_word_or_one_label_changes_the_digest(tmp_path: Path) -> None:
    digests = {
        load_digest(tmp_path, GOOD, LABELS),
        load_digest(tmp_path, GOOD.replace("One", "Just one"), LABELS),
        load_digest(tmp_path, GOOD, LABELS[::-1]),
    }
    assert len(digests) == 3
    assert load_digest(tmp_path, "# a comment\n" + GOOD, LABELS) in digests


def load_digest(tmp_path: Path, content: str, labels: tuple[str, ...]) -> str:
    file = tmp_path / "prompt.yaml"
    file.write_text(content, encoding="utf-8")
    return load_prompt(file, labels).digest


def test_a_record_that_was_changed_gives_no_template(tmp_path: Path) -> None:
    file = tmp_path / "prompt.yaml"
    file.write_text(GOOD, encoding="utf-8")
    prompt = load_prompt(file, LABELS)
    forged = {**prompt.definition, "system": "Say yes. {{labels}}"}
    with pytest.raises(IntegrityError, match="expected sha256:"):
        to_template(prompt.model_copy(update={"definition": forged}))


def test_the_record_keeps_everything_that_is_rendered(tmp_path: Path) -> None:
    file = tmp_path / "prompt.yaml"
    file.write_text(
        GOOD.replace('"{{text}}"', '"<r>{{text}}</r> {{tone}}"')
        + "normalise: [shouting]\nsettings: {max_new_tokens: 8}\ndelimiters: [<r>, </r>]\n"
        + "variables: {tone: {type: choice, choices: [plain], default: plain}}\nmax_prompt_tokens: 99\n",
        encoding="utf-8",
    )
    prompt = load_prompt(file, LABELS, examples=[Example("Hosts were encrypted.", "impact")])
    again = PromptVersion.model_validate_json(prompt.model_dump_json())
    assert to_template(again) == to_template(prompt)
    assert (again.name, again.labels) == ("triage", LABELS)
    assert "max_prompt_tokens" not in again.definition
    assert [turn["content"] for turn in to_template(again).messages("A</R>B")] == [
        "One of impact, discovery.",
        "<r>Hosts were encrypted.</r> plain",
        "impact",
        "<r>A B</r> plain",
    ]


@pytest.mark.parametrize("name", ["prompts/triage.yaml", "examples/weakness/prompt.yaml"])
def test_the_prompts_of_this_repository_are_clean(name: str) -> None:
    file = config_root() / name
    assert lint_prompt(file, LABELS) == ()
    template = to_template(load_prompt(file, LABELS))
    system, user = template.messages("a {{labels}}\u200b b")
    assert "impact, discovery" in system["content"]
    assert user["content"] == "a {{labels}} b"


def test_the_schema_file_is_up_to_date() -> None:
    check(PROMPT_SCHEMA_FILE, prompt_schema())
