"""What a lint rule looks at: the file with its lines, the texts in it, and a place to put findings.

draft = read_draft(Path("configs/prompts/triage.yaml"), labels)
draft.error("secret", ("system",), "system holds what looks like a secret")
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from infra.config.source import Location, Source, read_yaml
from infra.prompts import Example
from tasks.develop.prompts.file import PromptFile
from tasks.records.prompt import LintFinding

Count = Callable[[Sequence[dict[str, str]]], int]
"""Tokens of a rendered conversation, by the tokenizer of the base model."""


@dataclass
class Draft:
    """A prompt under review."""

    source: Source
    labels: tuple[str, ...]
    examples: tuple[Example, ...] = ()
    content: PromptFile | None = None
    """Set once the file fits its schema."""
    findings: list[LintFinding] = field(default_factory=list)

    def text(self, key: Literal["system", "user"]) -> str | None:
        """The template of a role, in NFC and without outer blanks; None when the file has none."""
        value = self.source.values.get(key)
        return cleaned(value) if isinstance(value, str) and value.strip() else None

    @property
    def has_errors(self) -> bool:
        """Whether some finding is an error."""
        return any(each.severity == "error" for each in self.findings)

    def error(self, rule: str, at: Location, message: str, hint: str = "") -> None:
        """Note what must be changed before the prompt is used."""
        self._note(rule, "error", at, message, hint)

    def warning(self, rule: str, at: Location, message: str, hint: str = "") -> None:
        """Note what should be looked at."""
        self._note(rule, "warning", at, message, hint)

    def _note(
        self, rule: str, severity: Literal["error", "warning"], at: Location, message: str, hint: str
    ) -> None:
        self.findings.append(
            LintFinding(
                rule=rule,
                severity=severity,
                file=str(self.source.file),
                line=self._line(at),
                message=message,
                hint=hint,
            )
        )

    def _line(self, at: Location) -> int:
        """Line of the deepest known part of a location."""
        known = (
            self.source.lines[at[:end]] for end in range(len(at), -1, -1) if at[:end] in self.source.lines
        )
        return next(known, 1)


def read_draft(file: Path, labels: Sequence[str], examples: Sequence[Example] = ()) -> Draft:
    """Open a file for review; raises ConfigError when it is no readable YAML mapping."""
    return Draft(read_yaml(file), tuple(labels), tuple(examples))


def cleaned(text: str) -> str:
    """Text as it is hashed: the same for every way to write a letter, without outer blanks."""
    return unicodedata.normalize("NFC", text).strip()
