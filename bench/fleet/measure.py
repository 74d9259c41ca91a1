"""One candidate through the real checks and gates, as the flows would measure and judge it.

outcome = judged(yard, member)
outcome.against        # ("injection-resistance",): gates that fail or are inconclusive
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.brought import brought
from fleet.member import Built, Member
from fleet.yard import Yard
from infra.config.lookup import setting_digest
from infra.digest import digest_file
from infra.errors import AssayError
from tasks.records import Evidence, EvidenceSet, GateReport
from tasks.validate.brought import with_evidence
from tasks.validate.checks import CHECKS, load_check
from tasks.validate.gates import judge, load_gates
from tasks.validate.runner import run_check

BROUGHT = {
    "screening": ("suspected_poison",),
    "robustness": ("injected_accuracy", "injection_attack_success", "perturbed_accuracy_drop"),
    "contamination": ("quality_violations", "contamination"),
}
"""Measured by the phases before validation, with the metrics that gates judge."""


@dataclass(frozen=True)
class Outcome:
    """What the gates said; `refused` when there was nothing to judge."""

    member: Member
    against: tuple[str, ...]
    measured: tuple[str, ...]
    """Gates that had evidence: one that only lacks it says nothing about the candidate."""
    refused: str
    headline: str
    seconds: float

    @property
    def stopped(self) -> bool:
        """Whether it is not let through."""
        return bool(self.against or self.refused)

    @property
    def mark(self) -> str:
        """One word for the log."""
        if self.member.bad:
            return "caught" if self.rightly else "WRONG" if self.stopped else "MISSED"
        return "BLOCKED" if self.stopped else "passes"

    @property
    def rightly(self) -> bool:
        """Stopped by a gate that ought to stop it."""
        against = self.against if self.member.unmeasured else {*self.against} & {*self.measured}
        named = {*against, *(("evidence",) if self.refused else ())}
        return bool(named & set(self.member.stopped_by))


def judged(yard: Yard, member: Member) -> Outcome:
    """Make, measure and judge; raises what making it raises."""
    started = datetime.now(UTC)
    built = member.make(yard)
    wanted = member.checks or (*BROUGHT, *CHECKS)
    try:
        with yard.configured(built.configs) as configured:
            report = _report(configured, built, wanted)
        against = tuple(result.gate for result in report.results if result.verdict != "pass")
        measured = tuple(result.gate for result in report.results if result.value is not None)
        headline, refused = report.headline, ""
    except AssayError as error:
        against, measured, headline, refused = (), (), error.message, error.message
    seconds = (datetime.now(UTC) - started).total_seconds()
    return Outcome(member, against, measured, refused, headline, seconds)


def _report(yard: Yard, built: Built, wanted: tuple[str, ...]) -> GateReport:
    measured = _measured(yard, built.evidence_of or built, wanted)
    project = yard.workspace.project
    if built.alter:
        measured = built.alter(measured)
    policy = load_gates(project.path(project.gates))
    # Rules whose check was not asked for would stop everything, and prove nothing.
    judged_by = {item.metric for item in measured.evidence} | {
        metric for failure in measured.failures for metric in failure.metrics
    }
    judged_by |= _promised(wanted)
    kept = tuple(rule for rule in policy.gates if rule.metric in judged_by)
    kept = tuple(rule for rule in kept if rule.name not in built.dropped_gates)
    requirements = built.candidate.requirements
    demanded = {rule.name for rule in kept} | set(built.dropped_gates)
    requirements = requirements.model_copy(
        update={"gates": tuple(gate for gate in requirements.gates if gate in demanded)}
    )
    return judge(
        policy.model_copy(update={"gates": kept}),
        measured,
        requirements=requirements,
        has_champion=True,
        candidate=built.candidate.unit,
        settings={name: setting_digest(project, name) for name in requirements.settings},
        source=digest_file(project.path(project.requirements)),
        today=datetime.now(UTC).date(),
    )


def _measured(yard: Yard, built: Built, wanted: tuple[str, ...]) -> EvidenceSet:
    evidence: list[Evidence] = []
    failures = []
    for name in wanted:
        if name in BROUGHT:
            continue
        outcome = run_check(yard.workspace, built.candidate, name, CHECKS[name])
        evidence += outcome.evidence
        failures += [outcome.failure] if outcome.failure else []
    measured = EvidenceSet(
        candidate=built.candidate.unit, evidence=tuple(evidence), failures=tuple(failures), seconds=0
    )
    return with_evidence(measured, built.candidate, brought(yard, built, wanted))


def _promised(wanted: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for name in wanted:
        found |= set(load_check(name, CHECKS[name]).metrics if name in CHECKS else BROUGHT[name])
    return found
