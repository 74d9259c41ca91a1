"""Check `security`: the share of controls and standing checks that hold for this candidate; all are counted.

evidence = run(workspace, candidate)        # one piece: control_evidence
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.config.load import REPOSITORY
from infra.definitions import is_checkout
from infra.digest import canonical_json
from infra.signing.documents import parse_object
from tasks.records import Candidate, Evidence
from tasks.validate.check import Check
from tasks.validate.finding import Finding, findings_evidence
from tasks.validate.gates import GatePolicy, load_gates
from tasks.validate.security.controls import Surroundings, control_findings
from tasks.validate.security.documents import document_findings, read_documents
from tasks.validate.security.files import file_findings
from tasks.validate.security.licences import licence_findings
from tasks.validate.security.prompts import prompt_findings

if TYPE_CHECKING:
    from infra.workspace import Workspace


def run(workspace: "Workspace", candidate: Candidate) -> Sequence[Evidence]:
    """Look at everything now; raises ConfigError for gate rules and IntegrityError for requirements that
    cannot be read."""
    project = workspace.project
    policy = load_gates(project.path(project.gates))
    findings = find(workspace, candidate, policy, datetime.now(UTC))
    details = workspace.store.put_bytes(canonical_json([item.model_dump(mode="json") for item in findings]))
    return [findings_evidence("control_evidence", findings, _inputs(candidate, policy), details=details)]


def find(
    workspace: "Workspace", candidate: Candidate, policy: GatePolicy, now: datetime
) -> tuple[Finding, ...]:
    """Controls of the threat model first, then what is looked at for every candidate."""
    project, store = workspace.project, workspace.store
    document = parse_object(store.get_bytes(candidate.requirements.digest), "threat model")
    around = Surroundings(
        project, {rule.name: rule.metric for rule in policy.gates}, REPOSITORY, is_checkout(REPOSITORY)
    )
    documents = read_documents(store, candidate)
    return (
        *control_findings(document, candidate.requirements.controls, around),
        *licence_findings(project, candidate, documents.mlbom),
        *file_findings(store, candidate),
        *prompt_findings(candidate),
        *document_findings(project, candidate, documents, now),
    )


def _inputs(candidate: Candidate, policy: GatePolicy) -> dict[str, str]:
    provenance = candidate.provenance
    documents = (
        {
            "provenance": provenance.statement,
            "mlbom": provenance.mlbom,
            "environment": provenance.environment,
        }
        if provenance
        else {}
    )
    return {
        "candidate": candidate.unit,
        "base": candidate.base.digest,
        "adapter": candidate.adapter.digest,
        "prompt": candidate.prompt.digest,
        "requirements": candidate.requirements.digest,
        "gates": policy.digest,
        **documents,
    }


CHECK = Check(
    name="security",
    metrics=("control_evidence",),
    deadline_s=60,
    code=("tasks.validate.security", "infra.models.safety", "infra.origin", "infra.prompts"),
    run=run,
    kept=False,  # documents grow old, files may be altered
)
