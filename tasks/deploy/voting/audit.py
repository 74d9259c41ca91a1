"""Every decision about the releases of a project, proven again.

for row in audit_decisions(workspace):
    row.proven, row.detail                 # "ada by key; rules sha256:… (in force)", or why it is not proven
"""

from infra.errors import AssayError
from infra.ledger import Kind
from infra.workspace import Workspace
from tasks.deploy.voting.installation import trusted_of
from tasks.deploy.voting.proof import check_decision
from tasks.deploy.voting.rules import rules_of
from tasks.deploy.voting.votes import request_of
from tasks.records import Digest, Record


class AuditedDecision(Record):
    """The newest decision about one release."""

    release: Digest
    decision: str
    proven: bool
    detail: str


def audit_decisions(workspace: Workspace, project: str = "") -> list[AuditedDecision]:
    """The decisions in the order of the ledger; `project`: default, that of the workspace.

    Raises IntegrityError when the ledger's chain is broken, ConfigError for an unreadable trust policy.
    """
    name, entries = project or workspace.project.name, workspace.ledger.intact()
    trusted = trusted_of(workspace)
    try:
        rules = rules_of(workspace.project).digest if name == workspace.project.name else ""
    except AssayError:  # an auditor's copy need not have the keys of today's approvers
        rules = ""
    rows = []
    for release in dict.fromkeys(entry.subject for entry in entries if entry.project == name):
        request = request_of(entries, name, release)
        about = [e for e in entries if e.project == name and e.subject == release]
        kinds = [e.kind for e in about if request and e.seq > request.seq]
        decided = [kind for kind in kinds if kind in (Kind.APPROVED, Kind.REJECTED)]
        if not decided:
            continue
        try:
            found = check_decision(entries, workspace.store, name, release, trusted)
        except AssayError as error:
            rows.append(
                AuditedDecision(release=release, decision=decided[0], proven=False, detail=error.message)
            )
            continue
        who = ", ".join(f"{v.decision.approver} by {v.decision.method}" for v in found.votes)
        which = "in force" if found.rules.digest == rules else "earlier, or of another profile or project"
        detail = f"{who}; rules {found.rules.digest} ({which})"
        rows.append(AuditedDecision(release=release, decision=decided[0], proven=True, detail=detail))
    return rows
