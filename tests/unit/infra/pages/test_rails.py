"""Charts in one line: what lies where, in the words of those who do not see it, escaped."""

from xml.etree import ElementTree

import pytest

from infra.pages.charts.bullet import Bullet, bullet
from infra.pages.charts.dots import banded_dot
from infra.pages.charts.dumbbell import Dumbbell, dumbbell
from infra.pages.charts.heat import Cell, heat_grid, step_of
from infra.pages.charts.rail import Scale

EVIL = "<script>\"'&"


def places(svg: str, tag: str, kind: str, attribute: str) -> list[float]:
    root = ElementTree.fromstring(svg)
    return [
        float(each.attrib[attribute].rstrip("%"))
        for each in root.iter(tag)
        if kind in each.attrib.get("class", "").split()
    ]


def test_a_scale_is_linear_and_stays_inside() -> None:
    scale = Scale(10, 30)
    assert scale.percent(20) == pytest.approx(50)
    assert scale.percent(15) - scale.percent(10) == pytest.approx(scale.percent(30) - scale.percent(25))
    assert (scale.percent(-5), scale.percent(99)) == (scale.percent(10), scale.percent(30))
    assert Scale(1, 1).percent(1) == 50


def test_what_is_allowed_lies_on_the_right_side_of_the_limit() -> None:
    above = bullet("x", Bullet(0.8, 0.7, 0.9, 0.5, above=True), kind="pass", limit="≥ 50 %")
    below = bullet("x", Bullet(0.8, 0.7, 0.9, 0.5, above=False), kind="fail", limit="≤ 50 %")
    assert places(above, "rect", "good", "x") == [50.0]
    assert places(below, "rect", "good", "x") == [2.0]
    assert places(above, "circle", "pass", "cx") == places(below, "circle", "fail", "cx") == [78.8]


@pytest.mark.parametrize("limit", [-0.2, 0.001, 5.0])
def test_value_interval_and_limit_are_always_on_the_scale(limit: float) -> None:
    chart = Bullet(0.5, -0.4, 1.7, limit, above=True)
    assert chart.scale.low <= min(-0.4, limit)
    assert chart.scale.high >= max(1.7, limit)
    ElementTree.fromstring(bullet("x", chart, kind="pass", limit="x"))


def test_a_dumbbell_shows_before_hollow_and_after_filled() -> None:
    drawn = dumbbell("x", Dumbbell(0.2, 0.8, 0.7, 0.9), kind="pass")
    before, after = places(drawn, "circle", "pass", "cx")
    assert before < after
    assert places(drawn, "circle", "hollow", "cx") == [before]


def test_a_dot_stands_beside_its_band() -> None:
    drawn = banded_dot("x", 0.2, 0.1, 0.3, within=(0.0, 0.05), scale=Scale(0, 0.4), kind="fail", zero=0.0)
    assert places(drawn, "rect", "good", "width")[0] == pytest.approx(12)
    assert places(drawn, "circle", "fail", "cx") == [50.0]


@pytest.mark.parametrize(
    ("share", "step"), [(0, 0), (0.001, 1), (0.02, 1), (0.021, 2), (0.1, 3), (0.25, 4), (0.2501, 5), (1, 5)]
)
def test_heat_rises_with_the_share(share: float, step: int) -> None:
    assert step_of(share) == step


def test_a_grid_is_a_table_with_scopes_and_says_what_was_not_tried() -> None:
    grid = heat_grid("T", ["a", "b"], ["x"], {("a", "x"): Cell(5, ("3/4", "≤ 90 %"), mark="▲9")})
    root = ElementTree.fromstring(grid.replace("<wbr>", ""))
    assert [each.attrib["scope"] for each in root.iter("th")] == ["col", "row", "row"]
    assert "not tried" in grid
    assert 'class="heat5"' in grid
    assert heat_grid("T", [], ["x"], {}) == heat_grid("T", ["a"], [], {}) == ""


@pytest.mark.parametrize(("step", "lines"), [(-1, ("x",)), (6, ("x",)), (0, ())])
def test_cells_that_cannot_be_are_refused(step: int, lines: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cell"):
        Cell(step, lines)


def test_all_words_are_escaped_and_said() -> None:
    for drawn in (
        bullet(EVIL, Bullet(0.1, 0, 0.2, 0.5, above=True), kind="pass", limit=EVIL),
        dumbbell(EVIL, Dumbbell(0.2, 0.8, 0.7, 0.9), kind="pass"),
        banded_dot(EVIL, 0.2, 0.1, 0.3, within=(0, 0.1), scale=Scale(0, 1), kind="pass"),
    ):
        root = ElementTree.fromstring(drawn)
        assert root.attrib["aria-label"] == EVIL
        assert root.attrib["role"] == "img"
    grid = heat_grid(EVIL, [EVIL], [EVIL], {(EVIL, EVIL): Cell(0, (EVIL, EVIL), mark=EVIL)}, corner=EVIL)
    assert "<script" not in grid
