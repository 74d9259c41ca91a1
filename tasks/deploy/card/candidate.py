"""The card of a candidate that is no release (yet): a blocked one has no directory to keep it in.

card, page = leave_card(workspace, validated)
page                       # ASSAY_HOME/reports/cards/<unit>.html, card.json's twin beside it
"""

from datetime import UTC, datetime
from pathlib import Path

from infra import atomic
from infra.digest import hex_of
from infra.workspace import Workspace
from tasks.deploy.card.content import Card, card_json, make_card
from tasks.deploy.card.gather import gather_facts
from tasks.deploy.card.page import card_page
from tasks.records import EvidenceSet, Validated


def candidate_page(home: Path, unit: str) -> Path:
    """Where the card of a unit lies, made or not."""
    return home / "reports" / "cards" / f"{hex_of(unit)[:12]}.html"


def leave_card(workspace: Workspace, validated: Validated) -> tuple[Card, Path]:
    """Write the card's page and JSON, replacing those of an earlier validation of the same unit.

    Raises IntegrityError for altered bytes, Unavailable when the disk refuses.
    """
    candidate = validated.candidate
    evidence = EvidenceSet.model_validate_json(workspace.store.get_bytes(validated.evidence))
    card = make_card(
        candidate,
        validated.report,
        evidence,
        gather_facts(workspace, candidate, evidence, signer=""),
        sequence=None,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    page = candidate_page(workspace.home, candidate.unit)
    with atomic.storage_errors(page):
        page.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    atomic.write_bytes(page.with_suffix(".json"), card_json(card), mode=0o600)
    atomic.write_bytes(page, card_page(card).encode(), mode=0o600)
    return card, page
