"""Lint of what the texts say: secrets, control tokens, invisible characters, authority of foreign text."""

import re
import unicodedata

from infra.prompts.authority import hands_authority
from tasks.develop.prompts.draft import Draft
from tasks.develop.prompts.lint.secrets import random_words, secrets_in

_CONTROL_TOKEN = re.compile(r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<</?SYS>>")


def check_words(draft: Draft) -> None:
    """Everything that must not be written in a prompt."""
    for role in ("system", "user"):
        text = draft.text(role)
        if text is None:
            continue
        _check_secrets(draft, role, text)
        if _CONTROL_TOKEN.search(text):
            draft.error(
                "control-token",
                (role,),
                f"{role} holds a chat control token",
                "write words only; the base model's chat template adds the tokens",
            )
        if odd := _invisible(text):
            draft.error("invisible", (role,), f"{role} holds the invisible character U+{ord(odd):04X}")
        if hands_authority(text):
            draft.error(
                "authority",
                (role,),
                f"{role} tells the model to obey text from outside",
                "say what to find in the text; whoever wrote it must not give orders",
            )
    for number, example in enumerate(draft.examples, start=1):
        _check_secrets(draft, f"example {number}", example.text)


def _check_secrets(draft: Draft, where: str, text: str) -> None:
    for kind in secrets_in(text):  # never repeat what may be a secret
        draft.error(
            "secret",
            (where,),
            f"{where} holds what looks like a secret ({kind})",
            "remove it and revoke it: prompts are published",
        )
    if (count := random_words(text)) and not secrets_in(text):
        draft.error(
            "entropy",
            (where,),
            f"{where} holds {count} word{'s' if count > 1 else ''} that look drawn by chance, as keys are",
            "prompts are published: keep keys, tokens and digests out of them",
        )


def _invisible(text: str) -> str | None:
    for char in text:
        category = unicodedata.category(char)
        if category in ("Cf", "Co", "Cn", "Cs") or (category == "Cc" and char not in "\n\t"):
            return char
    return None
