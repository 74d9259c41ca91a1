"""Charts: right proportions, escaped, well formed."""

from xml.etree import ElementTree

import pytest

from infra.pages.charts import Bar, Bins, Level, bar_chart, histogram, small_multiples, waterfall


def widths(svg: str) -> list[float]:
    return [float(each.attrib["width"]) for each in ElementTree.fromstring(svg).iter("rect")]


def heights(svg: str) -> list[float]:
    return [float(each.attrib["height"]) for each in ElementTree.fromstring(svg).iter("rect")]


def test_bars_are_as_long_as_their_values() -> None:
    one, two, three = widths(bar_chart("Rows", [Bar("a", (10, 30)), Bar("b", (20,))]))
    assert (two / one, three / one) == (3, 2)


def test_a_legend_names_each_part() -> None:
    drawn = bar_chart("Rows", [Bar("a", (1, 2))], series=("train", "test"))
    assert ">train</text>" in drawn
    assert "a, test: 2" in drawn


def test_columns_are_as_high_as_their_counts() -> None:
    low, high = heights(histogram("Sizes", Bins((0, 10, 20, 30), (25, 0, 50)), unit="characters"))
    assert high == pytest.approx(2 * low, abs=0.2)


def test_one_row_among_a_million_is_seen() -> None:
    assert min(heights(histogram("Sizes", Bins((0, 1, 2), (1_000_000, 1)), unit="words"))) >= 1
    assert min(width for width in widths(waterfall("Rows", [Level("x", 1_000_000, 999_999)])) if width) >= 1.5


def test_a_waterfall_shows_what_stays_and_what_goes() -> None:
    drawn = waterfall("Rows", [Level("read", 100, 100), Level("cut", 100, 25)])
    *_, stays, goes = widths(drawn)
    assert goes == pytest.approx(3 * stays, abs=0.2)
    assert "25 (−75)" in drawn


def test_nothing_gives_nothing_and_zero_gives_no_error() -> None:
    assert bar_chart("Rows", []) == small_multiples("Sizes", [], unit="x") == waterfall("Rows", []) == ""
    ElementTree.fromstring(bar_chart("Rows", [Bar("a", (0, 0))]))
    ElementTree.fromstring(waterfall("Rows", [Level("a", 0, 0)]))
    ElementTree.fromstring(small_multiples("Sizes", [("a", Bins((0, 1), (0,)))], unit="x"))


@pytest.mark.parametrize(("edges", "counts"), [((0, 1), ()), ((0,), ()), ((0, 1), (1, 2))])
def test_bins_that_do_not_fit_are_refused(edges: tuple[int, ...], counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="edges"):
        Bins(edges, counts)


def test_names_are_escaped_and_shortened() -> None:
    name = '<script>alert("1")</script> and much more'
    for drawn in (
        bar_chart(name, [Bar(name, (1,))], series=(name,)),
        waterfall(name, [Level(name, 2, 1)]),
        small_multiples(name, [(name, Bins((0, 1), (1,)))], unit=name),
        histogram(name, Bins((0, 1), (1,)), unit=name),
    ):
        assert "<script" not in drawn
        ElementTree.fromstring(drawn)
