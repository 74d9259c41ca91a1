"""The records' own checks: no report says pass that does not follow from its results."""

from datetime import date
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from infra.digest import digest_bytes
from infra.statistics.intervals import wilson
from tasks.records import Evidence, GateReport, GateResult, Slice, Verdict, Waiver
from tasks.records.evidence import verdict_of

UNIT, OTHER, SOME = (digest_bytes(name) for name in (b"unit", b"other", b"some"))
P, F, U = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def waiver(**changes: Any) -> Waiver:
    fields = {
        "candidate": UNIT,
        "gate": "a",
        "owner": "ada",
        "reason": "few rows",
        "expires": date(2026, 12, 1),
        **changes,
    }
    return Waiver(**fields)


def result(verdict: Verdict, gate: str = "a", waived: Waiver | None = None) -> GateResult:
    return GateResult(
        gate=gate,
        metric="accuracy",
        verdict=verdict,
        message=f"{gate}: {verdict}",
        statistic="lower",
        waiver=waived,
    )


def report(verdict: Verdict, *results: GateResult) -> GateReport:
    return GateReport(
        candidate=UNIT, policy=SOME, evidence=SOME, requirements=SOME, results=results, verdict=verdict
    )


@pytest.mark.parametrize("verdicts", list(product([P, F, U], repeat=3)))
def test_only_the_verdict_that_follows_is_accepted(verdicts: tuple[Verdict, ...]) -> None:
    results = [result(each, gate) for each, gate in zip(verdicts, "abc", strict=True)]
    expected = F if F in verdicts else U if U in verdicts else P
    assert report(expected, *results).verdict == expected
    for claimed in {P, F, U} - {expected}:
        with pytest.raises(ValidationError, match="does not follow"):
            report(claimed, *results)


def test_no_results_are_no_pass() -> None:
    assert report(U).verdict == U
    with pytest.raises(ValidationError, match="does not follow"):
        report(P)


def test_a_waived_inconclusive_gate_lets_the_rest_decide() -> None:
    covered = result(U, "a", waiver())
    assert report(P, covered).verdict == P
    assert report(P, covered, result(P, "b")).waived == (covered,)
    assert report(F, covered, result(F, "b")).verdict == F
    assert report(U, covered, result(U, "b")).verdict == U
    for claimed in (F, U):
        with pytest.raises(ValidationError, match="does not follow"):
            report(claimed, covered)
    with pytest.raises(ValidationError, match="does not follow"):
        report(P, covered, result(U, "b"))


@pytest.mark.parametrize("verdict", [P, F])
@pytest.mark.parametrize("claimed", [P, F, U])
def test_only_what_is_inconclusive_can_be_waived(verdict: Verdict, claimed: Verdict) -> None:
    with pytest.raises(ValidationError, match="only what is inconclusive"):
        report(claimed, result(verdict, "a", waiver()))


@pytest.mark.parametrize(
    ("changes", "reason"), [({"gate": "b"}, "for gate b"), ({"candidate": OTHER}, "for candidate")]
)
@pytest.mark.parametrize("claimed", [P, F, U])
def test_a_waiver_for_something_else_is_no_report(
    changes: dict[str, str], reason: str, claimed: Verdict
) -> None:
    with pytest.raises(ValidationError, match=reason):
        report(claimed, result(U, "a", waiver(**changes)))


def test_a_report_that_was_changed_on_its_way_is_not_read() -> None:
    content = report(U, result(U, "a"), result(P, "b")).model_dump(mode="json")
    with pytest.raises(ValidationError, match="does not follow"):
        GateReport.model_validate({**content, "verdict": "pass"})
    forged = waiver(candidate=OTHER).model_dump(mode="json")
    content["results"][0]["waiver"] = forged
    with pytest.raises(ValidationError, match="for candidate"):
        GateReport.model_validate({**content, "verdict": "pass"})


def test_the_headline_never_hides_a_waiver() -> None:
    covered = result(U, "a", waiver())
    assert report(P, covered, result(P, "b")).headline == "1 gates pass, 1 waived: a by ada until 2026-12-01"
    assert report(F, covered, result(F, "b")).headline == "b: fail"
    assert report(U, result(U, "b"), covered, result(U, "c")).headline == "b: inconclusive (and 1 more)"
    assert report(P, result(P)).headline == "1 gates pass"


def test_a_waiver_lapses_after_its_last_day() -> None:
    covered = report(P, result(U, "a", waiver(expires=date(2026, 12, 1))), result(P, "b"))
    assert covered.lapsed(date(2026, 12, 1)) == ()
    assert covered.lapsed(date(2026, 12, 2)) == (waiver(expires=date(2026, 12, 1)),)


def test_unknown_verdicts_count_as_none() -> None:
    strange = result(P).model_copy(update={"verdict": "sure"})
    assert verdict_of([strange]) == U
    assert verdict_of([]) == U


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": ""},
        {"owner": "ada\n"},
        {"owner": " ada"},
        {"reason": "ok"},
        {"reason": "line\nline"},
        {"reason": "hidden \x1b[2J text"},
        {"reason": "re\u202everse"},
        {"gate": ""},
        {"candidate": "unit"},
        {"expires": "never"},
    ],
)
def test_a_waiver_is_one_readable_line_with_everything_in_it(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        waiver(**changes)


@pytest.mark.parametrize("numbers", [(0.5, 0.6, 0.7), (0.5, 0.3, 0.4), (float("nan"), 0.0, 1.0)])
def test_values_lie_within_their_intervals(numbers: tuple[float, float, float]) -> None:
    value, lower, upper = numbers
    with pytest.raises(ValidationError):
        Slice(value=value, lower=lower, upper=upper, n=9)
    with pytest.raises(ValidationError):
        Evidence(metric="accuracy", value=value, lower=lower, upper=upper, n=9, method="m", inputs={})


def test_evidence_of_an_interval_keeps_all_of_it() -> None:
    whole, part = wilson(3, 40, 0.9), wilson(1, 4, 0.9)
    got = Evidence.of(
        "accuracy", whole, {"candidate": UNIT}, remark="3 of 40", slices={"x": part}, details=SOME
    )
    assert (got.value, got.lower, got.upper, got.confidence, got.n) == (
        0.075,
        whole.lower,
        whole.upper,
        0.9,
        40,
    )
    assert (got.method, got.details) == ("Wilson score interval; 3 of 40", SOME)
    assert got.slices["x"] == Slice(value=0.25, lower=part.lower, upper=part.upper, n=4)
