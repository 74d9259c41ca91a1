"""Dots with intervals against a band of what counts as equal: who is outside, who is not shown to be inside.

bands("Changed answers", [Dot("gender: female", 0.01, 0.0, 0.08, state="pass", remark="n 50")], (0.0, 0.1))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import Literal

from infra.pages.charts.frame import WIDTH, shortened, svg, text

State = Literal["pass", "fail", "inconclusive", "plain"]
_LEFT, _RIGHT, _ROW, _TOP = 232, 140, 22, 22
_WORDS = {"pass": "within the band", "fail": "outside of the band", "inconclusive": "undecided", "plain": ""}


@dataclass(frozen=True)
class Dot:
    """A value between its bounds; `state` decides colour, filling and words, `remark` stands behind."""

    name: str
    value: float
    lower: float
    upper: float
    state: State = "plain"
    remark: str = ""


def bands(title: str, dots: Sequence[Dot], band: tuple[float, float] | None = None) -> str:
    """Shares in percent, from the lowest to the highest bound; empty for no dots.

    A dot is filled where its state is decided and hollow where it is not: the picture says the same
    without colours. Raises ValueError for a band that is upside down.
    """
    if band is not None and band[0] >= band[1]:
        raise ValueError(f"band: got {band}, expected the lower end first")
    if not dots:
        return ""
    ends = [end for dot in dots for end in (dot.lower, dot.upper)] + list(band or ())
    scale = _Scale(min(0.0, *ends), max(*ends, 0.01))
    height = _TOP + _ROW * len(dots)
    shade = "" if band is None else _shade(scale, band, height)
    rows = "".join(_row(scale, _TOP + _ROW * at + _ROW / 2, dot) for at, dot in enumerate(dots))
    return svg(title, height + 4, shade + _grid(scale, height) + rows)


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def x(self, share: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (share - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        """Round shares, a handful."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** floor(log10(rough))
        step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough)
        first = -floor(-self.low / step)
        return [step * at for at in range(first, floor(self.high / step) + 1)]


def _shade(scale: _Scale, band: tuple[float, float], height: float) -> str:
    left, right = scale.x(band[0]), scale.x(band[1])
    return (
        f'<rect class="other" fill-opacity=".25" x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" '
        f'height="{height - _TOP}"><title>counts as equal: {band[0]:.0%} to {band[1]:.0%}</title></rect>'
    )


def _grid(scale: _Scale, height: float) -> str:
    return "".join(
        f'<line class="{"axis" if tick == 0 else "grid"}" x1="{scale.x(tick):.1f}" x2="{scale.x(tick):.1f}" '
        f'y1="{_TOP}" y2="{height}"/>'
        + text(scale.x(tick), _TOP - 7, f"{100 * tick:.3g}%", kind="tick", anchor="middle")
        for tick in scale.ticks
    )


def _row(scale: _Scale, y: float, dot: Dot) -> str:
    hint = f"{dot.name}: {dot.value:.1%} ({dot.lower:.1%} to {dot.upper:.1%}) {_WORDS[dot.state]}".strip()
    colour = 'class="ours"' if dot.state == "plain" else f'class="{dot.state}" fill="currentColor"'
    if dot.state == "inconclusive":
        colour = 'class="inconclusive" fill="none" stroke="currentColor" stroke-width="2"'
    return (
        text(_LEFT - 8, y + 4, shortened(dot.name, 34), anchor="end")
        + f'<line class="whisker" x1="{scale.x(dot.lower):.1f}" x2="{scale.x(dot.upper):.1f}" '
        f'y1="{y}" y2="{y}"/>' + f'<circle {colour} cx="{scale.x(dot.value):.1f}" cy="{y}" r="4.5">'
        f"<title>{escape(hint)}</title></circle>"
        + text(WIDTH - _RIGHT + 10, y + 4, f"{dot.value:.1%}  {dot.remark}".rstrip(), kind="tick")
    )
