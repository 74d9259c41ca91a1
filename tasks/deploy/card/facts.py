"""What a card needs besides candidate, gate report and evidence; every part may be absent.

CardFacts(title="Incident triage", approval="auto", redteam=(report,), champion=champion)
"""

from typing import Literal

from pydantic import Field, JsonValue

from tasks.records import Digest, EvidenceSet, Record
from tasks.records.fairness import FairnessReport
from tasks.records.redteam import RedTeamReport


class MadeFrom(Record):
    """What a unit was made from, by digest, as its own manifest and signed provenance tell."""

    base: str
    base_digest: Digest
    dataset: Digest
    rows: dict[str, int] = Field({}, description="rows by split; empty: not known")
    prompt: Digest
    prompt_definition: dict[str, JsonValue]
    adapter: Digest
    guard: Digest
    access: Digest
    config: Digest
    requirements: Digest
    training: Digest | None = Field(None, description="training settings")
    code: Digest | None = Field(None, description="digest of the training code")
    commit: str = Field("", description="git commit of the code; empty: not known")
    dirty: bool | None = Field(None, description="whether the code differed from the commit")
    lock: Digest | None = Field(None, description="requirements.lock")
    packages: Digest | None = Field(None, description="digest of {name: version} of all installed packages")
    versions: dict[str, str] = Field({}, description="versions of what takes part in training")
    python: str = ""


class Champion(Record):
    """The release that was live when the card was made."""

    release: Digest
    unit: Digest
    sequence: int
    since: str
    made_from: MadeFrom
    evidence: EvidenceSet | None = Field(None, description="what was measured when it was validated")
    redteam: tuple[RedTeamReport, ...] = ()


class Event(Record):
    """One entry of the ledger before the card was made."""

    time: str
    kind: str
    subject: Digest
    actor: str
    reason: str


class CardFacts(Record):
    """What the card needs besides candidate, report and evidence."""

    title: str = ""
    description: str = ""
    approval: Literal["auto", "person"] = "person"
    approvers: tuple[str, ...] = Field((), description="who may decide; empty: nobody")
    quorum: int = Field(1, ge=1, description="approvals that it takes")
    profile: str = ""
    losses: tuple[tuple[int, float], ...] = Field((), description="(optimizer step, training loss)")
    redteam: tuple[RedTeamReport, ...] = ()
    fairness: FairnessReport | None = None
    made_from: MadeFrom | None = None
    champion: Champion | None = None
    history: tuple[Event, ...] = Field((), description="oldest first")
    signer: str = Field("", description="who signs the release: key id or identity; empty: nothing is signed")
