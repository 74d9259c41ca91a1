"""What all charts share: the SVG element with its title, text, rectangles, a legend."""

from collections.abc import Sequence

from infra.pages.words import shown

WIDTH = 640
FILLS = (
    'class="ours"',
    'class="ours" fill-opacity=".45"',
    'class="other"',
    'class="other" fill-opacity=".45"',
)
"""Attributes of the first, second, … series; later ones look like the last."""
LOST = 'class="fail" fill="currentColor"'
LETTER = 6.6
"""About the width of a letter of a tick, for what must not overlap."""
_LEGEND_SQUARE = 10


def svg(title: str, height: float, body: str) -> str:
    """A whole picture; `title` is what a screen reader says."""
    return (
        f'<svg role="img" aria-label="{shown(title)}" viewBox="0 0 {WIDTH} {height:.0f}"'
        f' preserveAspectRatio="xMidYMid meet"><title>{shown(title)}</title>{body}</svg>'
    )


def rect(x: float, y: float, width: float, height: float, attributes: str, hint: str = "") -> str:
    """A rectangle; `hint` appears under the pointer."""
    shape = f'<rect {attributes} x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}"'
    return f"{shape}><title>{shown(hint)}</title></rect>" if hint else f"{shape}/>"


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "start") -> str:
    """One line of text whose anchor stands at (x, y)."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{shown(words)}</text>'
        if kind
        else f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{shown(words)}</text>'
    )


def shortened(words: str, most: int) -> str:
    """At most `most` characters, the last an ellipsis where some are missing."""
    return words if len(words) <= most else words[: most - 1] + "…"


def legend(series: Sequence[tuple[str, str]], x: float, y: float) -> str:
    """A line of coloured squares with their names, from (name, attributes)."""
    parts = []
    for name, attributes in series:
        parts.append(rect(x, y - _LEGEND_SQUARE + 1, _LEGEND_SQUARE, _LEGEND_SQUARE, attributes))
        parts.append(text(x + _LEGEND_SQUARE + 5, y, name, kind="tick"))
        x += _LEGEND_SQUARE + 24 + LETTER * len(name)
    return "".join(parts)
