"""The card escapes what it is given, needs nothing from outside, and says what was decided on."""

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infra.store import FileStore
from tasks.deploy.card import Card, CardFacts, card_page, make_card
from tasks.deploy.card.charts import loss_chart
from tasks.deploy.card.picture import card_picture
from tasks.records import EvidenceSet, Slice, Verdict
from tests.unit.tasks.deploy.samples import Sample, make_candidate, make_evidence, make_report, make_sample

EVIL = "<script>alert(1)</script>\"'&"


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return make_sample(FileStore(tmp_path / "store"), tmp_path)


def card_of(sample: Sample, facts: CardFacts | None = None, verdict: Verdict = Verdict.PASS) -> Card:
    report = make_report(sample.candidate.unit, sample.evidence, verdict)
    return make_card(
        sample.candidate,
        report,
        sample.evidence,
        facts or CardFacts(),
        sequence=3,
        created="2026-01-01T02:00:00Z",
    )


class Balance(HTMLParser):
    """Fails at a tag that closes what was not open; void elements do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    parser.close()
    return parser


def test_everything_is_escaped(sample: Sample) -> None:
    candidate = make_candidate(
        sample.candidate.base.digest, sample.candidate.adapter.digest, title="triage", notice=EVIL
    )
    candidate = candidate.model_copy(
        update={
            "project": EVIL,
            "base": candidate.base.model_copy(update={"name": EVIL, "licence": EVIL, "source": EVIL}),
            "dataset": candidate.dataset.model_copy(
                update={"name": EVIL, "licence": EVIL, "source": EVIL, "notice": EVIL}
            ),
            "prompt": candidate.prompt.model_copy(update={"name": EVIL}),
        }
    )
    evidence = make_evidence(candidate.unit)
    slices = {EVIL: Slice(value=0.5, lower=0.4, upper=0.6, n=9)}
    items = tuple(i.model_copy(update={"slices": slices, "method": EVIL}) for i in evidence.evidence)
    evidence = EvidenceSet(candidate=candidate.unit, evidence=items, seconds=1)
    report = make_report(candidate.unit, evidence)
    results = tuple(
        r.model_copy(update={"gate": EVIL, "message": EVIL, "metric": EVIL}) for r in report.results
    )
    facts = CardFacts(title=EVIL, profile=EVIL, approval="person", approvers=(EVIL,))
    card = make_card(
        candidate, report.model_copy(update={"results": results}), evidence, facts, sequence=1, created=EVIL
    )
    page = card_page(card.model_copy(update={"expires": EVIL, "unit": EVIL}))
    assert "<script" not in page
    tree = parsed(page)
    assert "script" not in tree.tags
    assert tree.open == []


def test_the_page_needs_nothing_from_outside(sample: Sample) -> None:
    facts = CardFacts(losses=tuple((step, 2.0 / (step + 1)) for step in range(100)))
    page = card_page(card_of(sample, facts))
    assert not re.search(r"https?:|src=|url\(|@import", page)
    assert re.findall(r"href=\S+", page) == ['href="#main">Skip']
    assert {"img", "link", "iframe", "script", "object"} & parsed(page).tags == set()


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE])
def test_a_verdict_that_is_no_pass_never_looks_like_one(sample: Sample, verdict: Verdict) -> None:
    page = card_page(card_of(sample, verdict=verdict))
    assert "PASS" not in page
    assert "approve" not in card_of(sample, verdict=verdict).decision.model_dump_json().replace(
        "can approve", ""
    )
    assert f'class="verdict {verdict}"' in page


def test_missing_accuracy_is_said(sample: Sample) -> None:
    report = make_report(sample.candidate.unit, sample.evidence)
    nothing = EvidenceSet(candidate=sample.candidate.unit, evidence=(), seconds=0)
    card = make_card(sample.candidate, report, nothing, CardFacts(), sequence=1, created="2026")
    assert card.summary == "No accuracy was measured."
    page = card_page(card)
    assert "not measured" in page
    assert parsed(page).open == []


def test_the_card_says_what_a_decision_needs(sample: Sample) -> None:
    page = card_page(card_of(sample, CardFacts(title="Incident triage", approval="auto", profile="embedded")))
    for words in (
        "Incident triage: release 3",
        sample.candidate.unit,
        "PASS: every gate passes",
        "87.3 % right on 440 held-out rows (interval 84.3 to 90.3 %); base, tiny-135m: 12.7 %.",
        "+70.6 to +78.6 pp",
        "auto: no person was asked (profile embedded)",
        "MITRE ATT&amp;CK Terms of Use",
        "© MITRE",
        "1622 train, 210 validation, 440 test",
        f"assay release verify {sample.candidate.unit[7:19]}",
        "assay release rollback",
    ):
        assert words in page
    person = card_of(sample, CardFacts(approval="person", approvers=("ada", "grace")))
    assert person.decision.approval == (
        "person: goes live only after one of ada, grace approves it, by signature and with a reason."
    )


def test_a_long_loss_curve_is_thinned_and_a_single_point_is_no_curve(sample: Sample) -> None:
    facts = CardFacts(losses=tuple((step, 1.0) for step in range(10_001)))
    assert len(card_of(sample, facts).losses) <= 400
    assert loss_chart([(1, 1.0)]) == ""
    assert "NaN" not in loss_chart([(5, 0.0), (5, 0.0)])


def test_the_picture_stands_alone_and_is_well_formed(sample: Sample) -> None:
    losses = tuple((step, 1.0 / step) for step in range(1, 9))
    picture = card_picture(card_of(sample, CardFacts(title=EVIL, losses=losses)))
    assert "<script" not in picture
    root = ElementTree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    # Two gates, accuracy and loss.
    assert len(root.findall("{http://www.w3.org/2000/svg}svg")) == 4
    assert "var(" not in picture
    assert "PASS" in picture
