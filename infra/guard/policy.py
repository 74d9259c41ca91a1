"""A guard policy: read from YAML, named by the digest of its bytes, applied to whole texts and streams."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from infra.digest import digest_bytes
from infra.errors import ConfigError
from infra.guard.canonicalise import visible
from infra.guard.rules import Match, Rule, RuleSet
from infra.guard.secrets import Redactor, SecretKind
from infra.guard.stream import StreamFilter
from infra.guard.verdict import GuardVerdict

TOO_LONG = Rule("too-long", "unbounded_consumption", "")
LONG_SECRET = Rule("long-secret", "sensitive_disclosure", "")

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
_Risk = Literal[
    "prompt_injection",
    "sensitive_disclosure",
    "output_handling",
    "system_prompt_leakage",
    "unbounded_consumption",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _RuleText(_Part):
    id: _Id
    risk: _Risk
    pattern: str = Field(min_length=1)
    broken: bool = False


class _SecretText(_Part):
    id: _Id
    starts: list[Annotated[str, StringConstraints(min_length=3)]] = Field(min_length=1)
    alphabet: str = Field(min_length=1)
    least: int = Field(ge=0)


class _PolicyText(_Part):
    version: Literal[1]
    max_chars: int = Field(ge=1, le=1_000_000)
    hold_back_chars: int = Field(ge=16, le=4096)
    longest_secret_chars: int = Field(ge=64, le=65_536)
    input: list[_RuleText] = Field(min_length=1)
    output: list[_RuleText] = Field(min_length=1)
    secrets: list[_SecretText] = Field(min_length=1)


@dataclass(frozen=True)
class GuardPolicy:
    """What is stopped and what is redacted, in both directions."""

    digest: str
    max_chars: int
    hold_back_chars: int
    longest_secret_chars: int
    input_rules: RuleSet = field(repr=False)
    output_rules: RuleSet = field(repr=False)
    redactor: Redactor = field(repr=False)

    @classmethod
    def from_yaml(cls, data: bytes) -> "GuardPolicy":
        """Read a policy; raises ConfigError for an unknown key, a wrong type or a pattern RE2 refuses."""
        try:
            text = _PolicyText.model_validate(yaml.safe_load(data))
        except yaml.YAMLError as error:
            raise ConfigError(f"guard policy: not YAML: {error}", hint="see configs/guard.yaml") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ConfigError(
                f"guard policy: {where}: {first['msg']}", hint="see configs/guard.yaml"
            ) from error
        _refuse_twice(text)
        redactor = Redactor([SecretKind(s.id, tuple(s.starts), s.alphabet, s.least) for s in text.secrets])
        if text.hold_back_chars <= redactor.longest_start:
            raise ConfigError(
                f"guard policy: hold_back_chars: got {text.hold_back_chars},"
                f" expected more than the longest start of a secret ({redactor.longest_start})"
            )
        return cls(
            digest_bytes(data),
            text.max_chars,
            text.hold_back_chars,
            text.longest_secret_chars,
            RuleSet([Rule(r.id, r.risk, r.pattern, r.broken) for r in text.input]),
            RuleSet([Rule(r.id, r.risk, r.pattern, r.broken) for r in text.output]),
            redactor,
        )

    def check_input(self, text: str) -> GuardVerdict:
        """What a client sent: blocked, or what the model may read."""
        return self._check(text, self.input_rules)

    def check_output(self, text: str) -> GuardVerdict:
        """What a model answered: blocked, or what the client may read."""
        return self._check(text, self.output_rules)

    def stream(self) -> StreamFilter:
        """A filter for one answer that arrives in pieces; it decides exactly as `check_output` does."""
        return StreamFilter(self)

    def _check(self, text: str, rules: RuleSet) -> GuardVerdict:
        if len(text) > self.max_chars:
            return blocked(TOO_LONG)
        match: Match | None = rules.search(text)
        if match is not None:
            return blocked(match.rule)
        clean = visible(text)
        if any(s.end - s.start > self.longest_secret_chars for s in self.redactor.find(clean)):
            return blocked(LONG_SECRET)
        redacted, kinds = self.redactor.redact(clean)
        return GuardVerdict(True, None, None, redacted, kinds)


def blocked(rule: Rule) -> GuardVerdict:
    """The verdict of a rule that matched."""
    return GuardVerdict(False, rule.id, rule.risk, "")


def _refuse_twice(text: _PolicyText) -> None:
    for direction in (text.input, text.output, text.secrets):
        seen: set[str] = set()
        for item in direction:
            if item.id in seen:
                raise ConfigError(f"guard policy: id {item.id!r} occurs twice", hint="ids are unique")
            seen.add(item.id)
