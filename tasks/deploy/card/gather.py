"""Read what a card needs: reports behind the evidence, the champion's own documents, the ledger.

facts = gather_facts(workspace, candidate, evidence, signer=str(signer.identity))
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from infra.digest import PREFIX, hex_of
from infra.errors import IntegrityError
from infra.ledger import Kind
from infra.refusal import SIGNER_COUNTS_NO_MORE, VerificationError
from infra.signing import ReleaseManifest, TrustRoot, read_part, recorded_manifest
from infra.signing.documents import parse_object
from infra.signing.manifest import ATTESTATIONS, PROMPT
from infra.store import Store
from infra.trust import Stage
from infra.workspace import Workspace
from tasks.deploy.card.facts import CardFacts, Champion, Event, MadeFrom
from tasks.deploy.card.provenance import facts_of
from tasks.deploy.voting.rules import rules_of
from tasks.records import Candidate, EvidenceSet, Record
from tasks.records.fairness import FairnessReport
from tasks.records.redteam import RedTeamReport

R = TypeVar("R", bound=Record)

_PROVENANCE = f"{ATTESTATIONS}provenance.sigstore.json"
_MOST_BYTES, _MOST_EVENTS = 16 << 20, 40


def gather_facts(
    workspace: Workspace, candidate: Candidate, evidence: EvidenceSet, *, signer: str
) -> CardFacts:
    """Everything but what is measured; raises IntegrityError for altered bytes, also of the champion's."""
    project = workspace.project
    rules = rules_of(project)
    return CardFacts(
        title=project.title,
        description=project.description,
        approval=project.approval.policy,
        approvers=rules.deciders,
        quorum=rules.quorum,
        profile=project.profile,
        losses=tuple(enumerate(candidate.adapter.losses, start=1)),
        redteam=redteam_reports(workspace.store, evidence),
        fairness=next(iter(_reports(workspace.store, evidence, FairnessReport)), None),
        made_from=_made_from(workspace.store, candidate),
        champion=_champion(workspace),
        history=_history(workspace),
        signer=signer,
    )


def redteam_reports(store: Store, evidence: EvidenceSet) -> tuple[RedTeamReport, ...]:
    """Every red-team report that the evidence names, one for each tier."""
    found = {report.tier: report for report in _reports(store, evidence, RedTeamReport)}
    return tuple(found[tier] for tier in sorted(found, reverse=True))


def _reports(store: Store, evidence: EvidenceSet, kind: type[R]) -> Iterable[R]:
    """Details that are records of this kind; others are results by item, or another part's report."""
    for digest in dict.fromkeys(item.details for item in evidence.evidence if item.details is not None):
        data = store.get_bytes(digest)
        try:
            yield kind.model_validate_json(data)
        except ValidationError:
            continue


def _made_from(store: Store, candidate: Candidate) -> MadeFrom:
    told: dict[str, Any] = {}
    if candidate.provenance is not None:
        data = store.get_bytes(candidate.provenance.statement)
        told = facts_of(parse_object(data, "provenance statement", most_bytes=_MOST_BYTES))
    parts = {
        "base": candidate.base.name,
        "base_digest": candidate.base.digest,
        "dataset": candidate.dataset.digest,
        "rows": dict(candidate.dataset.rows),
        "prompt": candidate.prompt.digest,
        "prompt_definition": candidate.prompt.definition,
        "adapter": candidate.adapter.digest,
        "guard": candidate.guard,
        "access": candidate.access,
        "config": candidate.config,
        "requirements": candidate.requirements.digest,
    }
    return MadeFrom.model_validate({**told, **parts})


def _champion(workspace: Workspace) -> Champion | None:
    state = workspace.state()
    if state.champion is None:
        return None
    directory = workspace.releases / hex_of(state.champion)
    # Nothing is loaded here: a champion that expired, or whose key is void, is still what would be replaced.
    manifest = recorded_manifest(directory, state.champion)
    documents = {
        name: read_part(directory, manifest, name)
        for name in (PROMPT, "evidence.json", _PROVENANCE)
        if name in manifest.files
    }
    told: dict[str, Any] = {}
    if _PROVENANCE in documents:
        told = _told(documents[_PROVENANCE], workspace.trust)
    evidence = _evidence(documents.get("evidence.json"))
    return Champion(
        release=state.champion,
        unit=manifest.unit,
        sequence=manifest.sequence,
        since=state.releases[state.champion].since,
        made_from=_made_from_manifest(manifest, documents[PROMPT], told),
        evidence=evidence,
        redteam=_champion_redteam(workspace.store, evidence),
    )


def _told(provenance: bytes, trust: TrustRoot) -> dict[str, Any]:
    """What the champion's provenance says; nothing when whoever signed it counts no more."""
    try:
        return facts_of(trust.verify(provenance, Stage.PROVENANCE, _PROVENANCE)[0])
    except VerificationError as error:
        if error.reason not in SIGNER_COUNTS_NO_MORE:
            raise
        return {}


def _evidence(data: bytes | None) -> EvidenceSet | None:
    """A release of an older format has evidence that today's records do not read: then it is not compared."""
    try:
        return EvidenceSet.model_validate_json(data) if data is not None else None
    except ValidationError:
        return None


def _champion_redteam(store: Store, evidence: EvidenceSet | None) -> tuple[RedTeamReport, ...]:
    try:
        return redteam_reports(store, evidence) if evidence is not None else ()
    except IntegrityError:
        # A release may come from elsewhere, without the store that it was validated with.
        return ()


def _made_from_manifest(manifest: ReleaseManifest, prompt: bytes, told: Mapping[str, Any]) -> MadeFrom:
    parts = {
        "base": manifest.base.name,
        "base_digest": manifest.base.digest,
        "dataset": manifest.dataset,
        "prompt": manifest.prompt,
        "prompt_definition": json.loads(prompt),
        "adapter": manifest.adapter,
        "guard": manifest.guard,
        "access": manifest.access,
        "config": manifest.config,
        "requirements": manifest.requirements,
    }
    return MadeFrom.model_validate({**told, **parts})


def _history(workspace: Workspace) -> tuple[Event, ...]:
    project = workspace.project.name
    entries = [e for e in workspace.ledger.entries() if e.project == project and e.kind != Kind.NOTE]
    return tuple(
        Event(time=e.time, kind=str(e.kind), subject=e.subject, actor=e.actor, reason=e.reason)
        for e in entries[-_MOST_EVENTS:]
        if e.subject.startswith(PREFIX)
    )
