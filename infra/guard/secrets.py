"""Secrets replaced: each kind is a start, an alphabet and a least length, so a stream can decide early.

redactor = Redactor([SecretKind("aws-key", ("AKIA",), "0-9A-Z", 16)])
redactor.redact("key AKIAIOSFODNN7EXAMPLE.")        # ("key [redacted:aws-key].", ("aws-key",))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.errors import ConfigError


@dataclass(frozen=True)
class SecretKind:
    """One kind of secret: one of `starts`, then `least` or more characters of `alphabet`."""

    id: str
    starts: tuple[str, ...]
    alphabet: str
    """The inside of an RE2 character class, for example `0-9A-Za-z_-`."""
    least: int


@dataclass(frozen=True)
class Secret:
    """Where a secret stands in a text."""

    start: int
    end: int
    kind: str


class Redactor:
    """Finds every kind in one pass, in linear time."""

    def __init__(self, kinds: Sequence[SecretKind]) -> None:
        """Raises ConfigError for an alphabet that RE2 refuses."""
        self.kinds = tuple(kinds)
        self.longest_start = max((len(s) for kind in kinds for s in kind.starts), default=0)
        whole = [f"({_starts(k)}[{k.alphabet}]{{{k.least},}})" for k in self.kinds]
        growing = [f"{_starts(k)}[{k.alphabet}]*" for k in self.kinds]
        self._whole = _compile("|".join(whole))
        self._growing = _compile(f"(?:{'|'.join(growing)})\\z")

    def find(self, text: str) -> list[Secret]:
        """Secrets from left to right, none inside another."""
        if not self.kinds:
            return []
        return [
            Secret(match.start(), match.end(), self.kinds[(match.lastindex or 1) - 1].id)
            for match in self._whole.finditer(text)
        ]

    def undecided_from(self, text: str) -> int:
        """Where a secret may have begun that text still to come would complete or lengthen; else the end.

        A start that is itself incomplete at the end is not counted: hold `longest_start` characters back.
        """
        match = self._growing.search(text) if self.kinds else None
        return len(text) if match is None else int(match.start())

    def redact(self, text: str) -> tuple[str, tuple[str, ...]]:
        """The text with placeholders, and the kinds that were replaced."""
        found = self.find(text)
        parts, cursor = [], 0
        for secret in found:
            parts += [text[cursor : secret.start], placeholder(secret)]
            cursor = secret.end
        return "".join(parts) + text[cursor:], tuple(secret.kind for secret in found)


def placeholder(secret: Secret) -> str:
    """What stands in a text instead of a secret."""
    return f"[redacted:{secret.kind}]"


def _starts(kind: SecretKind) -> str:
    import re2

    alternatives = "|".join(re2.escape(start) for start in kind.starts)
    boundary = r"\b" if all(start[:1].isalnum() for start in kind.starts) else ""
    return f"{boundary}(?:{alternatives})"


def _compile(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ConfigError(
            f"guard secrets: RE2 refuses {error.args[0]!r}", hint="`alphabet` is the inside of [ ]"
        ) from error
