"""Rules over comparable text, compiled by RE2: matching time is linear in the text, whatever the text.

A pattern is written once, in lower case; a space in it stands for any separators between words. With
`broken: true` it is also looked for in the letters alone, so that spaced, dotted or leet words are found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.errors import ConfigError
from infra.guard.canonicalise import leet_letters, letters, plain

_SEPARATORS = r"[\s\pZ\pP\pS\d]+"
_VIEWS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("plain", plain),
    ("letters", letters),
    ("leet", leet_letters),
)
# RE2 falls back to a slower but still linear engine when its automata need more; nothing is skipped.
_MEMORY_BYTES = 32 << 20


@dataclass(frozen=True)
class Rule:
    """One thing that must not occur."""

    id: str
    risk: str
    pattern: str
    broken: bool = False


@dataclass(frozen=True)
class Match:
    """Which rule matched in a text, and whether text that is still to come could change that."""

    rule: Rule
    decided: bool


class RuleSet:
    """All rules of one direction."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Raises ConfigError for a pattern that RE2 refuses, or that the empty text matches."""
        self.rules = tuple(rules)
        broken = [rule for rule in self.rules if rule.broken]
        tight = [(rule, _compile(_tight(rule.pattern), rule.id)) for rule in broken]
        spaced = [(rule, _compile(_spaced(rule.pattern), rule.id)) for rule in self.rules]
        self._compiled = {"plain": spaced, "letters": tight, "leet": tight}
        any_spaced = _compile("|".join(f"(?:{_spaced(r.pattern)})" for r in self.rules), "all rules")
        any_tight = _compile("|".join(f"(?:{_tight(r.pattern)})" for r in broken), "all rules")
        self._any = {"plain": any_spaced, "letters": any_tight, "leet": any_tight}

    def search(self, text: str) -> Match | None:
        """The first rule that the text matches, in any view; a decided match is preferred."""
        undecided: Match | None = None
        for view, fold in _VIEWS:
            if not self._compiled[view]:
                continue
            folded = fold(text)
            if self._any[view].search(folded) is None:
                continue
            for rule, compiled in self._compiled[view]:
                if (found := compiled.search(folded)) is not None:
                    if found.end() < len(folded):
                        return Match(rule, decided=True)
                    undecided = undecided or Match(rule, decided=False)
        return undecided


def _spaced(pattern: str) -> str:
    return pattern.replace(" ", _SEPARATORS)


def _tight(pattern: str) -> str:
    return pattern.replace(" ", "").replace(r"\b", "")


def _compile(pattern: str, name: str) -> Any:
    import re2

    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise ConfigError(
            f"guard rule {name}: not an RE2 pattern: {reason}",
            hint="no back-references and no look-around: see the RE2 syntax",
        ) from error
    if pattern and compiled.search("") is not None:
        raise ConfigError(f"guard rule {name}: matches the empty text", hint="make some part of it mandatory")
    return compiled
