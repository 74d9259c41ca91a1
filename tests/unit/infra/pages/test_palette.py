"""Every colour of text can be read on every ground that it stands on, light and dark."""

import re
from collections.abc import Mapping

import pytest

from infra.pages.palette import DARK, LIGHT, PAIRS, contrast
from infra.pages.style import STYLE

LEAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, level AA, for text of any size."""


def rules() -> list[tuple[str, str]]:
    """(selectors, declarations) of the style sheet, at-rules opened."""
    return re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"@media[^{]*\{", "", STYLE))


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out(colours: Mapping[str, str], text: str, ground: str) -> None:
    assert contrast(colours[text], colours[ground]) >= LEAST


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known grey that just fails
    assert contrast("#336699", "#336699") == 1


def test_both_schemes_have_the_same_roles() -> None:
    assert set(LIGHT) == set(DARK)


def test_the_style_uses_no_colour_beside_the_palette() -> None:
    without = STYLE
    for colours in (LIGHT, DARK):
        for name, value in colours.items():
            without = without.replace(f"--{name}:{value};", "")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", without) == []
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", STYLE)) <= set(LIGHT)


def test_every_ground_of_the_style_is_in_the_pairs() -> None:
    grounds = {
        name
        for _, declarations in rules()
        for name in re.findall(r"background:var\(--([a-z0-9-]+)\)", declarations)
    }
    assert grounds
    assert grounds <= {ground for _, ground in PAIRS}


def test_every_text_colour_of_the_style_is_in_the_pairs_on_both_plain_grounds() -> None:
    texts = {
        name
        for _, declarations in rules()
        for name in re.findall(r"(?:^|;)\s*color:var\(--([a-z0-9-]+)\)", declarations)
    }
    assert texts
    for ground in ("paper", "panel"):
        assert texts <= {text for text, on in PAIRS if on == ground}
