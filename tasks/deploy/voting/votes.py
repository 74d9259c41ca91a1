"""Requests, votes and refused attempts as the ledger holds them; pure functions over its entries.

request = request_of(entries, "triage", release)
votes_on(entries, request)                 # what was decided since, in order
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from infra.errors import IntegrityError
from infra.ledger import Entry, Kind
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.rules import Rules
from tasks.records import Binding, Decision


@dataclass(frozen=True)
class Vote:
    """One decision in the ledger; `bundle` is the digest of its signed form in the store."""

    entry: Entry
    decision: Decision
    bundle: str


def request_of(entries: Sequence[Entry], project: str, release: str) -> Entry | None:
    """The newest request for a decision about a release, answered or not."""
    asked = [e for e in _about(entries, project, release) if e.kind == Kind.AWAITING_APPROVAL]
    return asked[-1] if asked else None


def binding_of(request: Entry, rules: Rules) -> Binding:
    """What an answer to this request is about; raises DecisionRefused for one that does not say it."""
    try:
        return Binding(
            release=request.subject,
            gate_report=request.details["gate_report"],
            gates=request.details["gates"],
            rules=rules.digest,
            request=request.digest,
        )
    except (KeyError, ValidationError) as error:
        raise DecisionRefused(
            Why.WRONG_SUBJECT,
            f"ledger entry {request.seq} asks about {request.subject} without naming its gate report",
            hint="assay run deploy asks again",
        ) from error


def votes_on(entries: Sequence[Entry], request: Entry) -> list[Vote]:
    """The votes that answer this request; raises IntegrityError naming a row that only looks like one."""
    notes = _notes(entries, request, "vote")
    votes = [Vote(note, _decision(note), str(note.details.get("bundle", ""))) for note in notes]
    return [vote for vote in votes if vote.decision.binding.request == request.digest]


def wrong_codes(entries: Sequence[Entry], request: Entry, approver: str) -> int:
    """How often a wrong one-time code was given in this name since the request."""
    refused = [note.details["refused"] for note in _notes(entries, request, "refused")]
    return sum(each.get("why") == Why.WRONG_CODE and each.get("approver") == approver for each in refused)


def used_codes(entries: Sequence[Entry]) -> set[str]:
    """Every one-time code that was ever used, of all projects: also with a decision that was refused."""
    notes = [entry.details for entry in entries if entry.kind == Kind.NOTE]
    kinds = [details.get(name) for details in notes for name in ("vote", "refused")]
    return {str(each["code"]) for each in kinds if isinstance(each, dict) and each.get("code")}


def was_answered(entries: Sequence[Entry], form: str) -> Entry | None:
    """The entry that records what became of a form in the UI; None: it was not looked at yet."""
    found = [e for e in entries if e.kind == Kind.NOTE and e.details.get("form") == form]
    return found[-1] if found else None


def _decision(note: Entry) -> Decision:
    try:
        return Decision.model_validate(note.details["vote"])
    except ValidationError as error:
        raise IntegrityError(f"ledger row {note.seq} is no vote that can be read") from error


def _notes(entries: Sequence[Entry], request: Entry, what: str) -> list[Entry]:
    return [
        entry
        for entry in _about(entries, request.project, request.subject)
        if entry.seq > request.seq and entry.kind == Kind.NOTE and isinstance(entry.details.get(what), dict)
    ]


def _about(entries: Sequence[Entry], project: str, release: str) -> list[Entry]:
    return [entry for entry in entries if entry.project == project and entry.subject == release]
