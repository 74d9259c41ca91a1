"""Waivers in a report: only the right one, for what is inconclusive; others are told of and do nothing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.digest import digest_bytes
from tasks.records import GateResult, RefusedWaiver, Verdict, Waiver
from tasks.validate.gates.waive import waive
from tests.unit.tasks.validate.gates.samples import UNIT

OTHER = digest_bytes(b"other")
TODAY = date(2026, 11, 24)


def result(gate: str, verdict: Verdict) -> GateResult:
    return GateResult(
        gate=gate, metric="accuracy", verdict=verdict, message=f"{gate}: {verdict}", statistic="lower"
    )


def waiver(**changes: object) -> Waiver:
    fields = {
        "candidate": UNIT,
        "gate": "floor",
        "owner": "ada",
        "reason": "few rows this week",
        "expires": TODAY,
        **changes,
    }
    return Waiver.model_validate(fields)


RESULTS = [result("floor", Verdict.INCONCLUSIVE), result("leak", Verdict.FAIL), result("speed", Verdict.PASS)]


def applied(*waivers: Waiver) -> tuple[dict[str, GateResult], list[RefusedWaiver]]:
    files = {f"{number}.json": each for number, each in enumerate(waivers)}
    results, refused = waive(RESULTS, files, (), candidate=UNIT, today=TODAY)
    return {each.gate: each for each in results}, refused


def test_an_inconclusive_gate_is_covered_and_says_so() -> None:
    results, refused = applied(waiver())
    assert results["floor"].waiver == waiver()
    assert results["floor"].verdict == Verdict.INCONCLUSIVE
    assert results["floor"].message.endswith("; waived by ada until 2026-11-24: few rows this week")
    assert refused == []
    assert results["leak"].waiver is results["speed"].waiver is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gate": "leak"}, "only what is inconclusive can be waived"),
        ({"gate": "speed"}, "not needed, the gate passes"),
        ({"gate": "flor"}, "no such gate was judged"),
        ({"candidate": OTHER}, "it is for another candidate"),
        ({"expires": date(2026, 11, 23)}, "it expired on 2026-11-23"),
    ],
)
def test_what_does_not_fit_does_nothing_and_is_told(changes: dict[str, object], reason: str) -> None:
    results, refused = applied(waiver(**changes))
    assert all(each.waiver is None for each in results.values())
    (told,) = refused
    assert reason in told.reason
    assert (told.file, told.gate, told.owner) == ("0.json", changes.get("gate", "floor"), "ada")


def test_the_blocked_gate_says_why_its_waiver_does_not_count() -> None:
    results, _ = applied(waiver(expires=date(2026, 11, 1)))
    assert results["floor"].message.endswith("; the waiver of ada does not count: it expired on 2026-11-01")


def test_old_waivers_of_other_candidates_are_not_told_where_nothing_blocks() -> None:
    _, refused = applied(waiver(candidate=OTHER, gate="speed"), waiver(candidate=OTHER, gate="gone"))
    assert refused == []


def test_the_longest_of_two_good_ones_counts() -> None:
    later = waiver(expires=date(2026, 12, 1), owner="bob")
    results, refused = applied(later, waiver())
    assert results["floor"].waiver == later
    assert refused == []


def test_an_expired_one_beside_a_good_one_does_no_harm() -> None:
    results, refused = applied(waiver(expires=date(2026, 1, 1)), waiver())
    assert results["floor"].waiver == waiver()
    assert len(refused) == 1


def test_a_gate_that_also_fails_elsewhere_is_not_waived() -> None:
    twice = [*RESULTS, result("floor", Verdict.FAIL)]
    results, refused = waive(twice, {"w.json": waiver()}, (), candidate=UNIT, today=TODAY)
    assert all(each.waiver is None for each in results)
    assert len(refused) == 1


def test_files_that_were_not_verified_stay_in_the_report() -> None:
    unverified = RefusedWaiver(file="x.json", reason="signature does not fit its content")
    results, refused = waive(RESULTS, {}, [unverified], candidate=UNIT, today=TODAY)
    assert refused == [unverified]
    assert list(results) == RESULTS


@given(
    st.sampled_from(["floor", "leak", "speed", "none"]),
    st.sampled_from([UNIT, OTHER]),
    st.dates(date(2026, 11, 1), date(2026, 12, 31)),
)
def test_a_waiver_counts_only_where_everything_fits(gate: str, candidate: str, expires: date) -> None:
    results, _ = applied(waiver(gate=gate, candidate=candidate, expires=expires))
    covered = {each.gate for each in results.values() if each.waiver is not None}
    fits = gate == "floor" and candidate == UNIT and expires >= TODAY
    assert covered == ({"floor"} if fits else set())
