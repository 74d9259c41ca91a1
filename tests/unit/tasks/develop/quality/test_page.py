"""The quality report as a page: complete, offline, escaped."""

from xml.etree import ElementTree

import pytest

from tasks.develop.documents import quality_documents
from tasks.develop.quality import quality_evidence
from tests.unit.tasks.develop.quality.samples import dataset, project, report


def page(**changes: object) -> str:
    return quality_documents(dataset(**changes), project()).report  # type: ignore[arg-type]  # named fields


def test_it_shows_everything_that_a_person_decides_on() -> None:
    shown = page()
    for expected in (
        "PASS: fit to train and test on",
        "Rows: 10 train, 4 validation, 4 test.",
        "18 (−5)",
        "email redacted",
        "left to the gates",
        "1 of 8 evaluation rows share",
        "quality_violations",
        "© somebody",
        "Known limits",
    ):
        assert expected in shown
    assert len(quality_evidence(dataset())) == 2


def test_it_loads_and_runs_nothing() -> None:
    shown = page()
    assert "default-src 'none'" in shown
    assert shown.count("href=") == shown.count('href="#main"')
    for forbidden in ("<script", 'http-equiv="refresh"', "src=", "url(", "onload"):
        assert forbidden not in shown


def test_its_markup_is_well_formed() -> None:
    body = page().split("<body>")[1].split("</body>")[0].replace("<br>", "<br/>")
    ElementTree.fromstring(f"<body>{body}</body>")  # ours


def test_a_failure_is_the_first_thing_said() -> None:
    failed = report(passed=False, failed=("train: got 0 rows, expected at least 1",))
    shown = page(quality=failed)
    assert shown.index("FAIL: not fit") < shown.index("train: got 0 rows") < shown.index("Expectations")
    assert "PASS" not in shown


@pytest.mark.parametrize("field", ["name", "source", "licence", "notice"])
def test_names_from_outside_are_escaped(field: str) -> None:
    documents = quality_documents(dataset(**{field: '<img src=x onerror="alert(1)">'}), project())
    assert "<img" not in documents.report
    assert "<img" not in documents.card.split("---\n", 2)[2]


def test_a_report_without_details_is_drawn_too() -> None:
    bare = report(results=(), profiles={}, label_characters={}, licences={}, sources={}, overlap=None)
    shown = page(quality=bare, stages=())
    assert "No expectation was evaluated." in shown
    assert "Overlap with training was not measured." in shown
