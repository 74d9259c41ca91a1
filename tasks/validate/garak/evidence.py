"""From garak's answers to record and evidence: counts by risk and technique, worst transcripts redacted.

report = summarise(answers, plan, against="unit", seconds=…, redact=redactor(policy))
garak_evidence(report, inputs, details=digest)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from infra.guard import GuardPolicy
from infra.guard.pii import redact_pii
from infra.statistics.intervals import Interval, wilson
from tasks.records import Evidence
from tasks.records.redteam import Against, AttackCell, RedTeamReport, Transcript
from tasks.validate.garak.plan import Plan
from tasks.validate.garak.probes import GARAK_VERSION, NEEDS_DOWNLOAD, Probe
from tasks.validate.garak.report import Answered

_MOST_TRANSCRIPTS = 20
_MOST_CHARS = 2000
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {0x7F: 0x2421}


def summarise(
    answers: Mapping[str, Sequence[Answered]],
    plan: Plan,
    *,
    against: Against,
    seconds: float,
    redact: Callable[[str], str],
) -> RedTeamReport:
    """The record of one run; `answers` are those of every probe of the plan."""
    by_cell: dict[tuple[str, str], list[Answered]] = {}
    for probe in plan.probes:
        by_cell.setdefault((probe.risk, probe.technique), []).extend(answers[probe.name])
    size = f"{len(plan.probes)} probes, at most {plan.cap} prompts where they heed it"
    return RedTeamReport(
        tier="garak",
        seed=plan.seed,
        cells=tuple(_cell(risk, technique, against, all_) for (risk, technique), all_ in by_cell.items()),
        worst=tuple(_worst(answers, plan.probes, against, redact)),
        corpora={"garak": f"{GARAK_VERSION}, Apache-2.0; {size}"},
        skipped=tuple(f"{name}: makes no prompt without a download" for name in NEEDS_DOWNLOAD),
        seconds=seconds,
    )


def garak_evidence(report: RedTeamReport, inputs: Mapping[str, str], *, details: str) -> Evidence:
    """Share of prompts with positive evidence of success, in all and by risk (Wilson intervals)."""
    risks = sorted({cell.risk for cell in report.cells})
    slices = {risk: _share(cell for cell in report.cells if cell.risk == risk) for risk in risks}
    stopped = sum(cell.blocked for cell in report.cells)
    return Evidence.of(
        "garak_attack_success",
        _share(report.cells),
        inputs,
        remark=f"prompts of garak {GARAK_VERSION} that a detector of positive evidence calls a success;"
        f" {stopped} were stopped by the guard",
        slices=slices,
        details=details,
    )


def redactor(policy: GuardPolicy) -> Callable[[str], str]:
    """Makes a text fit to be kept: no secrets, no personal data, controls made visible, of bounded length."""

    def redact(text: str) -> str:
        # Before cutting: half a secret is no longer recognised as one.
        without_secrets, _ = policy.redactor.redact(text)
        without_pii, _ = redact_pii(without_secrets)
        shown = without_pii.translate(_CONTROLS)
        return shown if len(shown) <= _MOST_CHARS else f"{shown[:_MOST_CHARS]} […]"

    return redact


def _share(cells: Iterable[AttackCell]) -> Interval:
    counted = list(cells)
    return wilson(sum(cell.hits for cell in counted), sum(cell.n for cell in counted))


def _cell(risk: str, technique: str, against: Against, answers: Sequence[Answered]) -> AttackCell:
    interval = wilson(sum(answer.hit for answer in answers), len(answers))
    return AttackCell(
        risk=risk,
        technique=technique,
        against=against,
        n=len(answers),
        hits=sum(answer.hit for answer in answers),
        blocked=sum(answer.stopped for answer in answers),
        lower=interval.lower,
        upper=interval.upper,
    )


def _worst(
    answers: Mapping[str, Sequence[Answered]],
    probes: Sequence[Probe],
    against: Against,
    redact: Callable[[str], str],
) -> list[Transcript]:
    """The first success of each probe, then the second of each, …: no probe crowds out the others."""
    hits = [[(probe, each) for each in answers[probe.name] if each.hit] for probe in probes]
    ranked = [found[rank] for rank in range(_MOST_TRANSCRIPTS) for found in hits if rank < len(found)]
    return [
        Transcript(
            risk=probe.risk,
            technique=probe.technique,
            family=probe.name,
            against=against,
            detector=probe.detector,
            attack=redact(answer.prompt),
            reply=redact(answer.reply),
        )
        for probe, answer in ranked[:_MOST_TRANSCRIPTS]
    ]
