"""MODEL_CARD.md and the Markdown artefact: front matter that hubs read, figures of the card."""

import base64
import re
from xml.etree import ElementTree

import yaml

from tasks.deploy.card.markdown import card_markdown
from tasks.deploy.card.modelcard import cell, model_card
from tests.unit.tasks.deploy.card.samples import blocked_card, passing_card


def front(text: str) -> dict[str, object]:
    return dict(yaml.safe_load(text.split("---\n")[1]))


def test_the_front_matter_names_licence_base_data_and_metrics() -> None:
    read = front(model_card(passing_card()))
    assert read["license"] == "apache-2.0"
    assert read["base_model"] == "tiny-135m"
    assert read["datasets"] == ["attack-stix"]
    assert "accuracy" in read["metrics"]  # type: ignore[operator]  # a list
    assert "license_name" not in read


def test_a_licence_that_is_no_identifier_is_other_with_its_name() -> None:
    card = passing_card()
    base = card.ingredients[0].model_copy(update={"licence": "Gemma Terms of Use"})
    read = front(model_card(card.model_copy(update={"ingredients": (base, *card.ingredients[1:])})))
    assert (read["license"], read["license_name"]) == ("other", "Gemma Terms of Use")


def test_figures_are_those_of_the_evidence() -> None:
    card = passing_card()
    read = front(model_card(card))
    metrics = read["model-index"][0]["results"][0]["metrics"]  # type: ignore[index]  # YAML
    assert {m["type"]: m["value"] for m in metrics}["accuracy"] == card.bars[0].value


def test_waivers_and_failures_are_in_the_table() -> None:
    assert "waived by grace until 2026-12-15" in model_card(passing_card())
    assert "| injection-resistance | fail |" in card_markdown(blocked_card(), "/x")


def test_a_cell_is_one_line_without_markup() -> None:
    assert cell("a|b\n<i>`x`") == "a\\|b \\<i\\>\\`x\\`"
    assert "://" not in cell("http://a.b")


def test_the_artefact_has_verdict_picture_and_place() -> None:
    text = card_markdown(blocked_card(), "/srv/cards/1.html")
    assert (
        text.index("FAIL: a gate fails")
        < text.index("![")
        < text.index("| gate |")
        < text.index("/srv/cards")
    )
    found = re.search(r"\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", text)
    assert found is not None
    assert ElementTree.fromstring(base64.b64decode(found[1])).tag.endswith("svg")


def test_the_same_card_gives_the_same_text() -> None:
    assert model_card(passing_card()) == model_card(passing_card())
