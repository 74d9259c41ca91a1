"""Outcomes on disk, by candidate, code and configuration: judging the fleet takes the better part of an hour.

kept = KeptOutcomes.open(Path("outcomes"))
kept.of(member) or kept.keep(judged(yard, member))
"""

import json
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path

from fleet.measure import Outcome
from fleet.member import Member
from infra import atomic
from infra.code import code_digest
from infra.config.load import config_root
from infra.digest import digest_json, digest_tree


@dataclass(frozen=True)
class KeptOutcomes:
    """One file for each outcome; `key` is of all code and configuration that decides it."""

    directory: Path
    key: str

    @classmethod
    def open(cls, directory: Path) -> "KeptOutcomes":
        """Outcomes of the code and configuration as they are now."""
        directory.mkdir(parents=True, exist_ok=True)
        bench = digest_json([file.read_text("utf-8") for file in sorted(Path(__file__).parent.glob("*.py"))])
        return cls(directory, digest_json([code_digest("infra", "tasks"), digest_tree(config_root()), bench]))

    def of(self, member: Member) -> Outcome | None:
        """What was seen of this member, if it was judged by the same code and configuration."""
        try:
            known = json.loads(self._file(member).read_text("utf-8"))
        except FileNotFoundError:
            return None
        if known.pop("key") != self.key:
            return None
        lists = {name: tuple(known[name]) for name in ("against", "measured")}
        return Outcome(member, **{**known, **lists})

    def keep(self, outcome: Outcome) -> Outcome:
        """The outcome, written down."""
        fields = {each.name: getattr(outcome, each.name) for each in dataclass_fields(outcome)}
        del fields["member"]
        atomic.write_text(
            self._file(outcome.member), json.dumps({**fields, "key": self.key}, indent=1) + "\n"
        )
        return outcome

    def _file(self, member: Member) -> Path:
        return self.directory / f"{member.name}.json"
