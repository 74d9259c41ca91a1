"""A chart in one line that is as wide as its place: positions in percent, text at its natural size.

Scale(0, 1).at(0.25)                         # "26.0%"
rail("87 % of 440", dot(scale.at(0.87), "pass"))
"""

from dataclasses import dataclass

from infra.pages.words import shown

_LOW, _SPAN = 2.0, 96.0
"""Room at both ends, in percent, so that dots and labels at the ends are whole."""
MIDDLE = 13
"""Where the line of values stands, in pixels from above."""


@dataclass(frozen=True)
class Scale:
    """From numbers to places on a rail."""

    low: float
    high: float

    def percent(self, value: float) -> float:
        """Percent from the left; what is outside of the scale stands at its end."""
        width = self.high - self.low
        share = (value - self.low) / width if width > 0 else 0.5
        return _LOW + _SPAN * min(max(share, 0.0), 1.0)

    def at(self, value: float) -> str:
        """The place as an attribute."""
        return f"{self.percent(value):.1f}%"

    def between(self, low: float, high: float) -> str:
        """`x` and `width` of a rectangle."""
        first, last = sorted((self.percent(low), self.percent(high)))
        return f'x="{first:.1f}%" width="{last - first:.1f}%"'


def rail(words: str, body: str, *, height: int = 26) -> str:
    """The whole chart; `words` says all of it to those who do not see it."""
    return (
        f'<svg class="rail" role="img" aria-label="{shown(words)}" width="100%" height="{height}">'
        f"{body}</svg>"
    )


def track(scale: Scale) -> str:
    """The whole length of the scale."""
    return f'<rect class="track" {scale.between(scale.low, scale.high)} y="{MIDDLE - 7}" height="14" rx="3"/>'


def band(scale: Scale, low: float, high: float, kind: str = "good") -> str:
    """A part of the scale with a meaning."""
    return f'<rect class="{kind}" {scale.between(low, high)} y="{MIDDLE - 7}" height="14"/>'


def whisker(scale: Scale, low: float, high: float, kind: str) -> str:
    """An interval with its ends."""
    first, last = scale.at(low), scale.at(high)
    ends = "".join(
        f'<line class="{kind}" x1="{x}" x2="{x}" y1="{MIDDLE - 4}" y2="{MIDDLE + 4}"/>' for x in (first, last)
    )
    return f'<line class="{kind}" x1="{first}" x2="{last}" y1="{MIDDLE}" y2="{MIDDLE}"/>{ends}'


def dot(scale: Scale, value: float, kind: str, *, radius: float = 4.5) -> str:
    """A measured value."""
    return f'<circle class="{kind}" cx="{scale.at(value)}" cy="{MIDDLE}" r="{radius}"/>'


def mark(scale: Scale, value: float, kind: str = "mark") -> str:
    """A line across the rail."""
    x = scale.at(value)
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{MIDDLE - 10}" y2="{MIDDLE + 10}"/>'


def label(scale: Scale, value: float, words: str, *, y: int) -> str:
    """A small word below a place; near the ends it stands inside of the rail."""
    place = scale.percent(value)
    anchor = "start" if place < 14 else "end" if place > 86 else "middle"
    return f'<text class="tick" x="{place:.1f}%" y="{y}" text-anchor="{anchor}">{shown(words)}</text>'
