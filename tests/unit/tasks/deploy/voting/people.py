"""A home with approvers, and a release that waits for them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyotp
import yaml

from infra.config.source import read_yaml
from infra.ledger import Entry, Kind, ReleaseState
from infra.signing import create_key
from infra.signing.keys import ensure_key, load_private_key, load_public_key
from infra.signing.signer import KeySigner
from infra.workspace import Workspace, open_workspace
from tasks.deploy import approval
from tasks.deploy.voting.attempts import Answer
from tasks.deploy.voting.cast import cast_by_code, cast_signed
from tasks.deploy.voting.proof import Decided, Trusted, check_decision
from tasks.deploy.voting.rules import Rules, rules_of
from tasks.deploy.voting.seeds import create_seed, seed_file
from tasks.deploy.voting.votes import binding_of, request_of
from tasks.records import Decision
from tests.unit.tasks.deploy.samples import make_evidence, make_report

RELEASE, OTHER, UNIT = ("sha256:" + digit * 64 for digit in "abc")
REPORT = make_report(UNIT, make_evidence(UNIT))


@dataclass
class Town:
    """People, their keys and seeds, and the installation that they decide for."""

    root: Path
    configs: Path
    rule: dict[str, Any] = field(default_factory=dict)
    delegations: list[dict[str, Any]] = field(default_factory=list)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ensure_key(self.home)

    @property
    def home(self) -> Path:
        return self.root / "home"

    def person(self, name: str, *roles: str, totp: bool = False, **more: Any) -> None:
        pair = create_key(self.root / "people" / name)
        self.people[name] = {"roles": list(roles or ("release-manager",)), "key": str(pair.public), **more}
        if totp:
            create_seed(self.home, name)
            self.people[name]["totp"] = f"file:{seed_file(self.home, name)}"
        self.write()

    def write(self, **rule: Any) -> None:
        self.rule |= rule
        content = {"approvers": self.people, "default": self.rule, "delegations": self.delegations}
        (self.configs / "approvers.yaml").write_text(yaml.safe_dump(content))

    def remove(self, name: str) -> None:
        del self.people[name]
        self.write()

    def delegate(self, delegator: str, delegate: str, until: datetime) -> None:
        given = {"delegator": delegator, "delegate": delegate, "until": until.isoformat()}
        self.delegations.append(given)
        self.write()

    def timeout(self, seconds: int, profile: str = "production") -> None:
        file = self.configs / "profiles" / f"{profile}.yaml"
        values = read_yaml(file).values
        values["approval"] = {**values["approval"], "timeout_s": seconds}
        file.write_text(yaml.safe_dump(values))

    def open(self, profile: str = "production") -> Workspace:
        return open_workspace("default", profile)

    def ask(
        self,
        release: str = RELEASE,
        *,
        profile: str = "production",
        started_by: tuple[str, ...] = ("night",),
        trained_by: str = "night",
    ) -> Workspace:
        opened = self.open(profile)
        approval.request_approval(
            opened, release, REPORT, unit=UNIT, started_by=started_by, trained_by=trained_by
        )
        return opened

    def signer(self, name: str) -> KeySigner:
        return KeySigner(load_private_key(self.root / "people" / name / "signing.pem"))

    def sign(
        self,
        name: str,
        decision: Literal["approve", "reject"] = "approve",
        *,
        release: str = RELEASE,
        key_of: str = "",
        on_behalf_of: str = "",
    ) -> ReleaseState:
        answer = answered(name, decision, on_behalf_of)
        return cast_signed(self.open(), release, answer, self.signer(key_of or name))

    def code(self, name: str, drift_s: int = 0) -> str:
        seed = seed_file(self.home, name).read_text()
        return pyotp.TOTP(seed).at(datetime.now(UTC) + timedelta(seconds=drift_s))

    def enter_code(
        self, name: str, code: str = "", decision: Literal["approve", "reject"] = "approve", **more: str
    ) -> ReleaseState:
        release = more.pop("release", RELEASE)
        answer = answered(name, decision, more.pop("on_behalf_of", ""))
        return cast_by_code(self.open(), release, answer, code or self.code(name), **more)

    def rules(self) -> Rules:
        return rules_of(self.open().project)

    def decision(self, name: str = "ada", **changes: Any) -> Decision:
        """What `name` would sign now."""
        request = request_of(self.entries(), "triage", RELEASE)
        assert request is not None
        now = datetime.now(UTC)
        content = {
            "binding": binding_of(request, self.rules()),
            "decision": "approve",
            "approver": name,
            "reason": "looked at it",
            "method": "key",
            "time": now,
            "expires": now + timedelta(hours=1),
        }
        return Decision.model_validate(content | changes)

    def entries(self) -> list[Entry]:
        return self.open().ledger.entries()

    def kinds(self, release: str = RELEASE) -> list[Kind]:
        return [entry.kind for entry in self.entries() if entry.subject == release]

    def refusals(self) -> list[str]:
        return [e.details["refused"]["why"] for e in self.entries() if "refused" in e.details]

    def state(self, release: str = RELEASE) -> str | None:
        return self.open().state().of(release)

    def prove(self, release: str = RELEASE) -> Decided:
        opened = self.open()
        trusted = Trusted([load_public_key(self.home / "keys" / "signing.pub")])
        return check_decision(opened.ledger.entries(), opened.store, "triage", release, trusted)


def answered(name: str, decision: Literal["approve", "reject"] = "approve", on_behalf_of: str = "") -> Answer:
    return Answer(approver=name, decision=decision, reason="looked at it", on_behalf_of=on_behalf_of)
