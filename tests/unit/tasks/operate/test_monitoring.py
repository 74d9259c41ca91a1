"""Limits: breached ones fail, too little or unreadable traffic is never a pass, the page escapes."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.project import OperateSettings
from tasks.operate.monitoring import compare, operate_report, worst
from tasks.operate.report import histogram, render_report
from tasks.operate.traffic import Traffic
from tasks.records import LimitResult, TrafficWindow, Verdict

CHAMPION = "sha256:" + "c" * 64
LIMITS = OperateSettings(min_requests=20, max_error_rate=0.02, max_block_rate=0.2, max_latency_p95_ms=5000)


def _traffic(*, admitted: int = 100, p95: float | None = 300.0, malformed: int = 0, **window: Any) -> Traffic:
    counts: dict[str, Any] = {"errors": 0, "blocked": 0, "releases": {CHAMPION: admitted}, **window}
    return Traffic(
        model="triage",
        window=TrafficWindow(
            start="2026-01-01T00:00:00+00:00",
            end="2026-01-02T00:00:00+00:00",
            requests=admitted,
            latency_p50_ms=p95,
            latency_p95_ms=p95,
            **counts,
        ),
        outcomes={"ok": admitted},
        rules={},
        latencies_ms=(p95,) * admitted if p95 is not None else (),
        admitted=admitted,
        malformed=tuple(f"requests-20260101.jsonl:{n}: broken" for n in range(malformed)),
        malformed_lines=malformed,
    )


def _verdicts(traffic: Traffic, **more: Any) -> dict[str, Verdict]:
    return {result.name: result.verdict for result in compare(traffic, LIMITS, **more)}


def test_quiet_healthy_traffic_passes() -> None:
    assert set(_verdicts(_traffic(), served={CHAMPION}).values()) == {Verdict.PASS}


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("error-rate", {"errors": 3}, "error-rate: 3.0% (3 errors of 100), limit <= 2.0%"),
        ("block-rate", {"blocked": 21}, "block-rate: 21.0% (21 blocked of 100), limit <= 20.0%"),
        ("latency-p95", {"p95": 5000.5}, "latency-p95: 5000.5 ms over 100 answers, limit <= 5000 ms"),
    ],
)
def test_a_breached_limit_fails_and_says_by_how_much(name: str, change: dict[str, Any], text: str) -> None:
    results = {result.name: result for result in compare(_traffic(**change), LIMITS)}
    assert results[name].verdict == Verdict.FAIL
    assert results[name].message == text
    assert [n for n, r in results.items() if r.verdict != Verdict.PASS] == [name]


@pytest.mark.parametrize("change", [{"errors": 2}, {"blocked": 20}, {"p95": 5000.0}])
def test_a_value_on_the_limit_is_within(change: dict[str, Any]) -> None:
    assert set(_verdicts(_traffic(**change)).values()) == {Verdict.PASS}


@given(st.integers(0, 19), st.integers(0, 19))
def test_too_few_requests_are_never_a_pass_nor_a_breach(admitted: int, errors: int) -> None:
    traffic = _traffic(admitted=admitted, errors=min(errors, admitted))
    verdicts = _verdicts(traffic)
    assert verdicts.pop("log-readable") == Verdict.PASS
    assert set(verdicts.values()) == {Verdict.INCONCLUSIVE}
    assert operate_report("triage", traffic, LIMITS, champion=None).verdict == Verdict.INCONCLUSIVE


def test_malformed_lines_are_never_a_pass() -> None:
    results = compare(_traffic(malformed=2), LIMITS)
    assert worst(results) == Verdict.INCONCLUSIVE
    assert results[0].message == "log-readable: 2 malformed lines, first requests-20260101.jsonl:0: broken"


def test_malformed_lines_do_not_hide_a_breach() -> None:
    assert worst(compare(_traffic(malformed=2, errors=50), LIMITS)) == Verdict.FAIL


def test_requests_without_any_answer_are_inconclusive_in_latency() -> None:
    assert _verdicts(_traffic(p95=None))["latency-p95"] == Verdict.INCONCLUSIVE


def test_an_answer_of_a_release_that_was_never_in_service_fails() -> None:
    stranger = "sha256:" + "e" * 64
    traffic = _traffic(releases={CHAMPION: 99, stranger: 1})
    assert _verdicts(traffic, served={CHAMPION})["releases"] == Verdict.FAIL
    assert _verdicts(traffic, served={CHAMPION, stranger})["releases"] == Verdict.PASS
    assert "releases" not in _verdicts(traffic)


def test_worst_of_nothing_is_inconclusive() -> None:
    assert worst(()) == Verdict.INCONCLUSIVE
    passing = LimitResult(name="a", verdict=Verdict.PASS, message="m")
    assert worst((passing,)) == Verdict.PASS


def _page(traffic: Traffic) -> str:
    return render_report(operate_report("triage", traffic, LIMITS, champion=CHAMPION), traffic)


def test_page_shows_verdict_limits_and_histogram() -> None:
    page = _page(_traffic(errors=3))
    assert "triage: FAIL" in page
    assert "error-rate: 3.0% (3 errors of 100), limit &lt;= 2.0%" in page
    assert page.count("<svg") == 1
    assert CHAMPION in page


def test_page_escapes_what_came_from_outside_and_fetches_nothing() -> None:
    hostile = "<script>alert(1)</script>"
    traffic = replace(
        _traffic(releases={hostile: 1}, malformed=1),
        rules={hostile: 2},
        malformed=(hostile,),
        outcomes={hostile: 1},
    )
    page = _page(traffic)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4
    assert "http" not in page.replace("</html>", "")


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=200))
def test_histogram_is_well_formed_and_counts_every_value(values: list[float]) -> None:
    root = ET.fromstring(histogram(values))
    titles = [title.text or "" for title in root.iter("title")]
    assert sum(int(title.rsplit(": ", 1)[1]) for title in titles) == len(values)


def test_histogram_of_nothing_says_so() -> None:
    assert histogram([]) == "<p>Nothing was answered.</p>"
