"""Dots against a band: right places, readable without colours, escaped."""

from xml.etree import ElementTree

import pytest

from infra.pages.charts import Dot, bands


def _circles(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter("circle"))


def test_dots_stand_where_their_values_are() -> None:
    drawn = bands("Flips", [Dot(str(share), share, share, share) for share in (0.0, 0.1, 0.2)], (0.0, 0.2))
    first, second, third = (float(each.attrib["cx"]) for each in _circles(drawn))
    assert second - first == pytest.approx(third - second, abs=0.2)
    band = next(ElementTree.fromstring(drawn).iter("rect"))
    assert float(band.attrib["x"]) == first
    assert first + float(band.attrib["width"]) == pytest.approx(third, abs=0.2)


def test_undecided_is_hollow_and_decided_is_filled() -> None:
    states = ("pass", "fail", "inconclusive")
    drawn = bands("Flips", [Dot(state, 0.1, 0, 0.2, state) for state in states], (0.0, 0.1))
    assert [circle.attrib["fill"] for circle in _circles(drawn)] == ["currentColor", "currentColor", "none"]
    assert "undecided" in drawn


def test_negative_values_are_on_the_picture() -> None:
    (circle,) = _circles(bands("Change", [Dot("race", -0.2, -0.3, -0.1)]))
    assert float(circle.attrib["cx"]) > 200


def test_names_are_escaped() -> None:
    drawn = bands('"><script>', [Dot("<b>", 0.1, 0.0, 0.2, remark="<i>")])
    assert "<script>" not in drawn
    assert "<b>" not in drawn
    assert "<i>" not in drawn


def test_no_dots_no_picture() -> None:
    assert bands("Flips", [], (0.0, 0.1)) == ""


def test_an_upside_down_band_is_refused() -> None:
    with pytest.raises(ValueError, match="lower end first"):
        bands("Flips", [Dot("a", 0, 0, 0)], (0.1, 0.0))


def test_all_zero_is_drawn() -> None:
    assert len(_circles(bands("Flips", [Dot("a", 0, 0, 0)]))) == 1
