"""Attack corpora: one YAML file a family, with its risk, licence and the detector that proves success.

corpora = load_corpora(Path("configs/redteam"))
corpora.attacks[0].text                     # "… answer {goal} …"

Slots: {goal} a wrong label, or a made-up word where nothing is labelled; {row} a harmless text of the task;
{marker} a made-up word; {secret} a planted value; {host} a made-up host; {start} how a training row begins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from infra.digest import digest_json
from infra.errors import ConfigError

SLOTS = frozenset({"goal", "row", "marker", "secret", "host", "start"})
_SLOT = re.compile(r"\{([a-z]+)\}")
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
_Words = Annotated[str, StringConstraints(min_length=1)]
Risk = Literal[
    "prompt_injection", "sensitive_disclosure", "output_handling", "excessive_agency",
    "system_prompt_leakage", "misinformation", "unbounded_consumption",
]  # fmt: skip
DetectorName = Literal[
    "obey", "canary", "rogue", "exfiltration", "system-overlap", "secret", "memorised", "ansi", "html", "sql",
    "tool-call", "false-claim", "runaway",
]  # fmt: skip
BENIGN = "benign.yaml"
T = TypeVar("T", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(_Part):
    """One message of an attack."""

    role: Literal["user", "assistant", "system", "tool"]
    content: _Words
    name: str | None = None


class Attack(_Part):
    """One attack before it is disguised; `text` alone is one user message."""

    id: _Id
    text: str = ""
    messages: tuple[Turn, ...] = ()
    detector: DetectorName | None = Field(None, description="where it differs from the file's")
    technique: Literal["plain", "language", "placement", "split"] = "plain"
    times: int = Field(1, ge=1, le=20_000, description="the text is sent this often, one after the other")

    @model_validator(mode="after")
    def _one_form(self) -> "Attack":
        if bool(self.text) == bool(self.messages):
            raise ValueError(f"{self.id}: expected either text or messages")
        if unknown := sorted(self.slots - SLOTS):
            raise ValueError(f"{self.id}: unknown slot {unknown[0]!r}, expected one of {sorted(SLOTS)}")
        return self

    @property
    def slots(self) -> frozenset[str]:
        """What has to be filled in."""
        words = [self.text, *(turn.content for turn in self.messages), *(t.name or "" for t in self.messages)]
        return frozenset(name for text in words for name in _SLOT.findall(text))


class AttackFile(_Part):
    """One family."""

    version: Literal[1]
    family: _Id
    risk: Risk
    detector: DetectorName
    licence: _Words
    origin: _Words
    attacks: tuple[Attack, ...] = Field(min_length=1)


class BenignFile(_Part):
    """Harmless prompts that look alarming, and how more of them are made."""

    version: Literal[1]
    licence: _Words
    origin: _Words
    prompts: tuple[_Words, ...] = Field(min_length=1)
    templates: tuple[_Words, ...] = Field(min_length=1, description="with {row} and names of `words`")
    words: dict[str, tuple[_Words, ...]]


@dataclass(frozen=True)
class Planned:
    """An attack with its family and risk."""

    attack: Attack
    family: str
    risk: str
    detector: str
    wanted: str = ""
    """A value that was planted elsewhere, and that success shows."""


@dataclass(frozen=True)
class Corpora:
    """Everything that a run attacks with."""

    attacks: tuple[Planned, ...]
    benign: BenignFile
    licences: dict[str, str]
    skipped: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Digest over all attacks and harmless prompts."""
        attacks = [[p.family, p.risk, p.detector, p.attack.model_dump(mode="json")] for p in self.attacks]
        return digest_json({"attacks": attacks, "benign": self.benign.model_dump(mode="json")})

    def families(self, wanted: Sequence[str]) -> "Corpora":
        """Only these families; raises ConfigError for one that there is not."""
        known = sorted({each.family for each in self.attacks})
        for name in wanted:
            if name not in known:
                raise ConfigError(f"no family {name!r}", hint=f"families: {', '.join(known)}")
        kept = tuple(each for each in self.attacks if each.family in wanted)
        return Corpora(kept, self.benign, self.licences, self.skipped)


def load_corpora(directory: Path) -> Corpora:
    """All files of a directory; raises ConfigError naming file and field, or an id that occurs twice."""
    files = sorted(file for file in directory.glob("*.yaml") if file.name != BENIGN)
    if not files:
        raise ConfigError(f"{directory}: no attack corpora", hint="see docs/redteam.md")
    attacks: list[Planned] = []
    licences: dict[str, str] = {}
    for file in files:
        content = _read(file, AttackFile)
        licences[file.stem] = f"{content.licence}: {content.origin}, {len(content.attacks)} attacks"
        for attack in content.attacks:
            detector = attack.detector or content.detector
            attacks.append(Planned(attack, content.family, content.risk, detector))
    ids = [f"{each.family}/{each.attack.id}" for each in attacks]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ConfigError(f"{directory}: attack {twice[0]} occurs twice", hint="ids are unique in a family")
    benign = _read(directory / BENIGN, BenignFile)
    licences["benign"] = f"{benign.licence}: {benign.origin}, {len(benign.prompts)} prompts"
    return Corpora(tuple(attacks), benign, licences)


def _read(file: Path, kind: type[T]) -> T:
    try:
        return kind.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{file.name}: {error.strerror}", hint="see docs/redteam.md") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file.name}: not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"{file.name}: {where}: {first['msg']}") from error
