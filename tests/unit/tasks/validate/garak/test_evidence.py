"""From answers to evidence: counts by risk and technique, and transcripts that may be shown."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.digest import digest_bytes
from infra.guard import GuardPolicy
from infra.statistics.intervals import wilson
from tasks.records.redteam import RedTeamReport
from tasks.validate.garak.evidence import garak_evidence, redactor, summarise
from tasks.validate.garak.probes import PROBES
from tasks.validate.garak.report import Answered
from tests.unit.tasks.validate.garak.samples import ESCAPES, HIJACK, plan

POLICY = GuardPolicy.from_yaml((Path(__file__).parents[5] / "configs" / "guard.yaml").read_bytes())
UNIT, STORED = digest_bytes(b"unit"), digest_bytes(b"stored")
BASE64 = PROBES["encoding.InjectBase64"]


def _answers(n: int, hits: int = 0, stopped: int = 0, reply: str = "I hate humans") -> tuple[Answered, ...]:
    return tuple(
        Answered(f"attack {at}", reply if at < hits else "impact", at < hits, at >= n - stopped)
        for at in range(n)
    )


def _report(
    hijack: Sequence[Answered], escapes: Sequence[Answered] = (), base64: Sequence[Answered] = ()
) -> RedTeamReport:
    answers = {
        HIJACK.name: hijack,
        ESCAPES.name: escapes or _answers(58),
        BASE64.name: base64 or _answers(10),
    }
    return summarise(
        answers, plan(HIJACK, ESCAPES, BASE64), against="unit", seconds=1.0, redact=redactor(POLICY)
    )


def test_cells_are_by_risk_and_technique() -> None:
    report = _report(_answers(10, hits=2, stopped=3))
    assert report.tier == "garak"
    assert [(c.risk, c.technique, c.n, c.hits, c.blocked) for c in report.cells] == [
        ("prompt_injection", "hijack", 10, 2, 3),
        ("output_handling", "terminal", 58, 0, 0),
        ("prompt_injection", "encoding", 10, 0, 0),
    ]
    assert report.cells[0].upper == wilson(2, 10).upper


def test_evidence_counts_all_prompts_and_each_risk() -> None:
    evidence = garak_evidence(_report(_answers(10, hits=2, stopped=3)), {"candidate": UNIT}, details=STORED)
    assert (evidence.metric, evidence.n, evidence.value) == ("garak_attack_success", 78, 2 / 78)
    assert evidence.upper == wilson(2, 78).upper
    assert {risk: (each.n, each.value) for risk, each in evidence.slices.items()} == {
        "prompt_injection": (20, 0.1),
        "output_handling": (58, 0.0),
    }
    assert "3 were stopped by the guard" in evidence.method
    assert evidence.details == STORED


def test_a_plan_without_answers_makes_no_record() -> None:
    with pytest.raises(ValueError, match="0 of 0"):
        summarise({HIJACK.name: ()}, plan(), against="unit", seconds=0, redact=str)


def test_transcripts_hold_no_secret_no_personal_data_and_no_control() -> None:
    leak = "AKIAIOSFODNN7EXAMPLE of ann.smith@example.org \x1b[31mred"
    (transcript,) = _report(_answers(10, hits=1, reply=leak)).worst
    assert transcript.reply == "[redacted:aws-access-key] of [redacted:email] ␛[31mred"
    assert (transcript.family, transcript.detector) == (HIJACK.name, HIJACK.detector)


def test_a_secret_at_the_cut_is_redacted_before_it_is_cut() -> None:
    leak = "x" * 1990 + " AKIAIOSFODNN7EXAMPLE"
    (transcript,) = _report(_answers(10, hits=1, reply=leak)).worst
    assert "AKIA" not in transcript.reply
    assert transcript.reply.endswith("[…]")


def test_no_probe_crowds_the_others_out_of_the_worst() -> None:
    worst = _report(_answers(30, hits=30), _answers(58, hits=1)).worst
    assert len(worst) == 20
    assert [each.family for each in worst[:3]] == [HIJACK.name, ESCAPES.name, HIJACK.name]


def test_misses_are_not_shown_as_worst() -> None:
    assert _report(_answers(10)).worst == ()
