"""Self-test and evidence: a screen that cannot find planted poison proves nothing."""

import pytest

from tasks.finetune.screening.evidence import screening_evidence
from tasks.finetune.screening.quarantine import hold_back
from tasks.finetune.screening.run import screen_and_test
from tasks.records import Evidence, Row
from tasks.records.screening import PlantedRecall, ScreeningReport, SelfTest
from tests.unit.tasks.finetune.screening.samples import LABELS, embed, guard, make_rows
from tests.unit.tasks.finetune.screening.samples import SETTINGS as USUAL

# 48 of 240 rows are poison here, a fifth, and there are only three labels to disagree about.
SETTINGS = USUAL.model_copy(update={"trigger_expected": 0.4})
INPUTS = {"dataset": "sha256:" + "1" * 64}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return make_rows()


@pytest.fixture(scope="module")
def report(rows: list[Row]) -> ScreeningReport:
    return screen_and_test(rows, embed([row.text for row in rows]), SETTINGS, LABELS, guard(), embed)


def evidence(report: ScreeningReport, rows: list[Row]) -> dict[str, Evidence]:
    found = screening_evidence(report, hold_back(rows, report, {}), SETTINGS, inputs=INPUTS)
    return {each.metric: each for each in found}


def with_test(report: ScreeningReport, triggers: int, flips: int) -> ScreeningReport:
    kinds = {
        "flips": PlantedRecall(planted=10, found=flips),
        "single-token": PlantedRecall(planted=10, found=triggers),
    }
    tested = SelfTest(seed=0, kinds=kinds, false_rows=1, clean_rows=200, flips_listed=15)
    return report.model_copy(update={"self_test": tested})


def test_each_run_finds_what_it_planted(report: ScreeningReport, rows: list[Row]) -> None:
    assert report.self_test is not None
    recalls = {kind: each.recall for kind, each in report.self_test.kinds.items()}
    assert recalls.pop("flips") >= SETTINGS.least_flip_recall
    assert recalls == {"single-token": 1.0, "multi-word": 1.0, "zero-width": 1.0}
    assert report.self_test.false_rows == 0
    found = evidence(report, rows)
    assert found["suspected_poison"].value == 0
    assert found["suspected_poison"].n == len(rows)
    assert found["screening_trigger_recall"].n == 36


@pytest.mark.parametrize(("triggers", "flips"), [(8, 10), (10, 6), (0, 0)])
def test_a_blind_screen_is_inconclusive(
    report: ScreeningReport, rows: list[Row], triggers: int, flips: int
) -> None:
    found = evidence(with_test(report, triggers, flips), rows)["suspected_poison"]
    assert (found.n, found.upper) == (0, 1.0)
    assert "not proven" in found.method


def test_a_screen_without_a_self_test_is_inconclusive(report: ScreeningReport, rows: list[Row]) -> None:
    found = evidence(report.model_copy(update={"self_test": None}), rows)
    assert list(found) == ["suspected_poison"]
    assert found["suspected_poison"].n == 0


def test_just_good_enough_counts(report: ScreeningReport, rows: list[Row]) -> None:
    assert evidence(with_test(report, 9, 7), rows)["suspected_poison"].n == len(rows)


def test_settings_that_see_nothing_fail_their_self_test(rows: list[Row]) -> None:
    blind = SETTINGS.model_copy(update={"trigger_error": 1e-300})
    report = screen_and_test(rows, embed([row.text for row in rows]), blind, LABELS, guard(), embed)
    held = hold_back(rows, report, {})
    found = screening_evidence(report, held, blind, inputs=INPUTS)[0]
    assert found.n == 0
