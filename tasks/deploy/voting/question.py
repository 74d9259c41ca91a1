"""What is put to people who decide: the release and its card, what it still takes, until when.

question = question_of(workspace, release)
question.markdown                                  # above the form in the UI
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.digest import hex_of
from infra.errors import IntegrityError
from infra.signing import read_part, verify_manifest
from infra.workspace import Workspace
from tasks.deploy.voting.check import missing, open_request
from tasks.deploy.voting.rules import rules_in_force
from tasks.deploy.voting.votes import binding_of, votes_on


@dataclass(frozen=True)
class Question:
    """An open request."""

    release: str
    request: int
    """Number of the ledger entry that asked."""
    takes: str
    """What an approval still takes, in words."""
    markdown: str
    seconds_left: int


def question_of(workspace: Workspace, release: str) -> Question:
    """The open request about a release.

    Raises DecisionRefused when nobody could answer it, IntegrityError when its files are not what was signed.
    """
    project, now = workspace.project, datetime.now(UTC)
    rules = rules_in_force(project)
    entries = workspace.ledger.entries()
    request = open_request(entries, project.name, release, rules, now)
    headline = _read_card(workspace, release, binding_of(request, rules).gate_report)
    card = workspace.releases / hex_of(release) / "card.html"
    until = datetime.fromisoformat(request.time) + timedelta(seconds=rules.timeout_s)
    takes = missing(votes_on(entries, request), rules, now)
    lines = (
        f"**{project.name}**: {headline}",
        f"release `{release}`, {takes}, until {until.isoformat(timespec='minutes')}",
        f"card: `{card}`",
        f"by key instead: `assay release approve {hex_of(release)[:12]} --reason …`",
    )
    return Question(
        release=release,
        request=request.seq,
        takes=takes,
        markdown="\n\n".join(lines),
        seconds_left=max(1, int((until - now).total_seconds())),
    )


def _read_card(workspace: Workspace, release: str, asked: str) -> str:
    """The card's headline; whoever decides looks at these very files, with the report that is asked about."""
    directory = workspace.releases / hex_of(release)
    manifest = verify_manifest(directory, trust=workspace.trust)
    if asked != manifest.gate_report:
        raise IntegrityError(
            f"{release}: asked is about gate report {asked}, the release holds {manifest.gate_report}"
        )
    read_part(directory, manifest, "card.html")
    return str(json.loads(read_part(directory, manifest, "card.json"))["headline"])
