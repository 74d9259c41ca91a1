"""No text on a card is trusted: the page holds no markup, link or hidden character of it."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tasks.deploy.card import Card, card_page
from tasks.deploy.card.markdown import card_markdown
from tasks.deploy.card.modelcard import model_card
from tasks.deploy.card.picture import card_picture
from tests.unit.tasks.deploy.card.samples import blocked_card, passing_card

EVIL = (
    "<script>alert(1)</script>\"'></style></svg><img src=x onerror=alert(1)> javascript:x \u202e\x1b[31m\x00 "
    "https://evil.example/x [a](https://evil.example) | # ``` \n---\nlicense: mine\n"
)
LINE = "".join(each for each in EVIL if each.isprintable()).strip()
KEPT = re.compile(
    r"sha256:[0-9a-f]{64}|\d{4}-\d{2}-\d{2}|assay\.card/v2|pass|fail|inconclusive|better|worse|noise"
    r"|(paired|separate) interval(s)?|flip|accuracy|preference|champion|base|nothing|lower|upper|point"
    r"|[+\- @]|[<>]=?|base model|data|equivalent|different|undecided|stopped|change|ability"
)
"""Digests, days and words of closed sets: a card with anything else in their place is not read at all."""
VOID = {"meta", "br", "wbr", "circle", "rect", "line", "polyline", "path"}
ALLOWED_ATTRIBUTES = re.compile(
    r"class|lang|charset|name|content|http-equiv|href|id|scope|title|open|role|aria-label|viewbox|width|height"
    r"|preserveaspectratio|x|y|x1|x2|y1|y2|cx|cy|r|rx|d|points|text-anchor"
)


def poisoned(value: object, evil: str = EVIL) -> object:
    """The same structure, every free text of it replaced."""
    if isinstance(value, dict):
        return {
            # A waiver is one printable line by its own record.
            (key if key in FIELDS else evil): poisoned(inner, LINE if key == "waiver" else evil)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [poisoned(inner, evil) for inner in value]
    return evil if isinstance(value, str) and not KEPT.fullmatch(value) else value


def _fields(value: object) -> set[str]:
    """Keys of records; those of free mappings are texts too."""
    schema = Card.model_json_schema()
    found = set(schema["properties"])
    for each in schema["$defs"].values():
        found |= set(each.get("properties", ()))
    return found


FIELDS = _fields(None)


class Reader(HTMLParser):
    """Everything that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(params=[passing_card, blocked_card], ids=["passing", "blocked"])
def card(request: pytest.FixtureRequest) -> Card:
    made: Card = request.param()
    evil = Card.model_validate(poisoned(json.loads(made.model_dump_json())))
    assert evil.headline == EVIL
    assert evil.gates[0].gate == EVIL
    assert evil.redteam[0].worst[0].attack == EVIL
    return evil


def test_the_page_has_only_its_own_markup(card: Card) -> None:
    page = card_page(card)
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert (
        reader.tags & {"script", "img", "iframe", "object", "link", "form", "input", "image", "use"} == set()
    )
    assert all(ALLOWED_ATTRIBUTES.fullmatch(name) for name, _ in reader.attributes)
    assert {value for name, value in reader.attributes if name == "href"} == {"#main"}


def test_nothing_on_the_page_is_hidden_or_turns_the_text(card: Card) -> None:
    page = card_page(card)
    assert not set(page) & set("\u202e\x1b\x00")
    assert "⟨U+202E⟩" in page


def test_the_picture_is_well_formed(card: Card) -> None:
    root = ElementTree.fromstring(card_picture(card))
    names = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert names <= {"svg", "style", "rect", "text", "title", "line", "circle", "path", "polyline"}


def test_markdown_has_no_markup_of_others(card: Card) -> None:
    for text in (model_card(card), card_markdown(card, "/srv/card.html")):
        without = re.sub(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]+", "", text)
        assert not re.search(r"(?<!\\)<|(?<!\\)&", without.split("\n---\n")[-1].replace("\n> ", "\n"))
        body = without.split("\n---\n")[-1]
        assert not re.search(r"(?<!\\)\]\(http", body)
        assert "https://evil" not in body
        assert not set(without) & set("\u202e\x1b\x00")


def test_the_front_matter_cannot_be_left(card: Card) -> None:
    import yaml

    _, front, body = model_card(card).split("---\n", 2)
    read = yaml.safe_load(front)
    assert read["license"] == "other"
    assert read["license_name"].startswith("<script>")
    assert len(read["datasets"]) == 1
    assert "license: mine" not in body.splitlines()
