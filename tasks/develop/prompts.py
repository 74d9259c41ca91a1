"""Prompt templates from reviewed files: read, linted, identified by the digest of what is served.

prompt = load_prompt(Path("configs/prompts/triage.yaml"), dataset.labels)
to_template(prompt).messages("The actor encrypted the hosts.")
"""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from infra.config.source import Source, read_yaml
from infra.errors import ConfigError, DataError, IntegrityError
from infra.prompts import PromptTemplate
from tasks.records import PromptVersion

_KEYS = ("name", "system", "user")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_SLOT = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_LEFTOVER = re.compile(r"\{\{|\}\}|\{%|\{#")
_CONTROL_TOKEN = re.compile(r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<</?SYS>>")
_SECRETS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
    "API key": re.compile(r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\bhf_[A-Za-z0-9]{20,}|\bAIza[\w-]{30,}"),
    "Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "JSON web token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\."),
    "password in a URL": re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@"),
    "password or key": re.compile(
        r"(?i)\b(?:password|passwd|passphrase|secret|token|api[_ -]?key|access[_ -]?key)\s*(?:=|:|\bis\b)\s*"
        r"[\"']?(?=\S*[0-9])\S{8,}"
    ),
}


def load_prompt(file: Path, labels: Sequence[str]) -> PromptVersion:
    """The template in a YAML file with the data set's labels.

    Raises ConfigError with file and line: unknown or missing key, empty text, undeclared slot, the
    untrusted text in the system role, control tokens, invisible characters, or what looks like a secret.
    """
    source = read_yaml(file)
    _check_keys(source)
    texts = {key: _text(source, key) for key in _KEYS}
    if not _NAME.fullmatch(texts["name"]):
        raise ConfigError(
            f"{source.where(('name',))}: name: got {texts['name']!r}, expected a-z, 0-9 and '-'"
        )
    _check_slots(source, texts)
    for key in ("system", "user"):
        _check_content(source, key, texts[key])
    _check_labels(labels, file)
    definition = {**texts, "labels": list(labels)}
    try:
        template = PromptTemplate.from_definition(definition)
    except DataError as error:
        raise ConfigError(f"{file}: {error.message}", hint=error.hint) from error
    return PromptVersion(digest=template.digest, labels=template.labels, **texts)


def to_template(prompt: PromptVersion) -> PromptTemplate:
    """The template that is served; raises IntegrityError when it is not what the digest says."""
    template = PromptTemplate.from_definition(
        {"name": prompt.name, "system": prompt.system, "user": prompt.user, "labels": list(prompt.labels)}
    )
    if template.digest != prompt.digest:
        raise IntegrityError(
            f"prompt {prompt.name}: its content is {template.digest}, expected {prompt.digest}"
        )
    return template


def _check_keys(source: Source) -> None:
    for key in source.values:
        if key not in _KEYS:
            close = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"valid keys: {', '.join(_KEYS)}"
            raise ConfigError(f"{source.where((str(key),))}: unknown key {key!r}", hint=hint)
    if missing := [key for key in _KEYS if key not in source.values]:
        raise ConfigError(f"{source.where(())}: no key {missing[0]!r}", hint="add it to the prompt file")


def _text(source: Source, key: str) -> str:
    value = source.values[key]
    if not isinstance(value, str) or not value.strip():
        got = "nothing" if value is None or isinstance(value, str) else type(value).__name__
        raise ConfigError(f"{source.where((key,))}: {key}: got {got}, expected text")
    return unicodedata.normalize("NFC", value).strip()


def _check_slots(source: Source, texts: dict[str, str]) -> None:
    for key, declared in (("system", "labels"), ("user", "text")):
        slots = _SLOT.findall(texts[key])
        if key == "system" and "text" in slots:
            raise ConfigError(
                f"{source.where((key,))}: the system role holds the untrusted slot {{{{text}}}}",
                hint="text from outside belongs into `user`: in the system role it could give orders",
            )
        if undeclared := [slot for slot in slots if slot != declared]:
            raise ConfigError(
                f"{source.where((key,))}: undeclared slot {{{{{undeclared[0]}}}}} in {key}",
                hint=f"{key} knows {{{{{declared}}}}} only",
            )
        if _LEFTOVER.search(_SLOT.sub("", texts[key])):
            raise ConfigError(
                f"{source.where((key,))}: {key} holds braces that are no slot",
                hint=f"write the slot as {{{{{declared}}}}}; there are no expressions",
            )
    if texts["user"].count("{{") != 1:
        raise ConfigError(
            f"{source.where(('user',))}: user needs the slot {{{{text}}}} exactly once,"
            f" got {texts['user'].count('{{')}"
        )


def _check_content(source: Source, key: str, text: str) -> None:
    for kind, pattern in _SECRETS.items():
        if pattern.search(text):  # never repeat what may be a secret
            raise ConfigError(
                f"{source.where((key,))}: {key} holds what looks like a secret ({kind})",
                hint="remove it and revoke it: prompts are published",
            )
    if _CONTROL_TOKEN.search(text):
        raise ConfigError(
            f"{source.where((key,))}: {key} holds a chat control token",
            hint="write words only; the base model's chat template adds the tokens",
        )
    hidden = next((char for char in text if unicodedata.category(char) in ("Cf", "Co", "Cn", "Cs")), None)
    control = next((char for char in text if unicodedata.category(char) == "Cc" and char not in "\n\t"), None)
    if odd := hidden or control:
        raise ConfigError(f"{source.where((key,))}: {key} holds the invisible character U+{ord(odd):04X}")


def _check_labels(labels: Sequence[str], file: Path) -> None:
    if not labels or len(set(labels)) != len(labels):
        raise ConfigError(f"{file}: labels: got {len(labels)}, expected at least one and none twice")
    for label in labels:
        if not label.strip() or label != label.strip() or not label.isprintable() or "," in label:
            raise ConfigError(
                f"{file}: label {label!r} cannot be listed in a prompt",
                hint="labels are one line of text without commas: rename them in the data",
            )
