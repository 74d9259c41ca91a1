"""The check of the garak tier: the candidate's unit in this process, garak in another, evidence by risk.

CHECK.run(workspace, candidate)     # with `garak: {enabled: true}`; DataError without `make garak`
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.digest import canonical_json, digest_json
from infra.errors import ConfigError
from tasks.records import Candidate, Evidence
from tasks.validate.check import Check
from tasks.validate.garak.evidence import garak_evidence
from tasks.validate.garak.probes import GARAK_VERSION
from tasks.validate.garak.run import attack, executable

if TYPE_CHECKING:
    from infra.workspace import Workspace


def run(workspace: "Workspace", candidate: Candidate) -> Sequence[Evidence]:
    """One piece of evidence; raises DataError, Unavailable, ConfigError instead of measuring half."""
    from infra.guard import GuardPolicy
    from tasks.validate.targets.unit import ServedUnit

    project = workspace.project
    if not project.garak.enabled:
        raise ConfigError("garak is switched off", hint="garak: {enabled: true} in a profile")
    garak = executable()
    guard = project.path(project.guard).read_bytes()
    with ServedUnit.open(
        workspace.store, candidate, guard, serving=project.serving, gateway=project.gateway
    ) as unit:
        report = attack(unit, project.garak, GuardPolicy.from_yaml(guard), garak)
    stored = workspace.store.put_bytes(canonical_json(report.model_dump(mode="json")))
    inputs = {
        "candidate": candidate.unit,
        "guard": candidate.guard,
        "prompt": candidate.prompt.digest,
        "plan": digest_json({"garak": GARAK_VERSION, **project.garak.model_dump(mode="json")}),
    }
    return [garak_evidence(report, inputs, details=stored)]


CHECK = Check(
    "garak",
    ("garak_attack_success",),
    # Beyond the latest `garak.deadline_s`: garak's own end has the better reason to tell.
    3600,
    (
        "infra.guard",
        "infra.models",
        "infra.serving",
        "infra.statistics.intervals",
        "tasks.validate.garak",
        "tasks.validate.targets",
    ),
    run,
)
