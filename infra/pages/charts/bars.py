"""Horizontal bars, each of one or several parts.

bar_chart("Rows by label", [Bar("impact", (160, 20, 40))], series=("train", "validation", "test"))
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.pages.charts.frame import FILLS, WIDTH, legend, rect, shortened, svg, text

_LEFT, _RIGHT, _ROW = 170, 70, 24


@dataclass(frozen=True)
class Bar:
    """A named row; its parts stand one after another."""

    name: str
    parts: tuple[float, ...]


def bar_chart(title: str, bars: Sequence[Bar], *, series: Sequence[str] = ()) -> str:
    """Empty for no bars; `series` names the parts and adds a legend. The number is the sum of the parts."""
    if not bars:
        return ""
    most = max(sum(bar.parts) for bar in bars) or 1
    top = 22 if series else 0
    rows = [_row(top + _ROW * number, bar, most, series) for number, bar in enumerate(bars)]
    names = legend([(name, _fill(at)) for at, name in enumerate(series)], _LEFT, 12) if series else ""
    return svg(title, top + _ROW * len(bars) + 4, names + "".join(rows))


def _row(y: float, bar: Bar, most: float, series: Sequence[str]) -> str:
    parts, x = [text(_LEFT - 8, y + 14, shortened(bar.name, 24), anchor="end")], float(_LEFT)
    for at, value in enumerate(bar.parts):
        width = (WIDTH - _LEFT - _RIGHT) * value / most
        hint = f"{bar.name}, {series[at]}: {value:,}" if at < len(series) else f"{bar.name}: {value:,}"
        parts.append(rect(x, y + 3, width, _ROW - 8, _fill(at), hint))
        x += width
    parts.append(text(x + 6, y + 14, f"{sum(bar.parts):,}", kind="tick"))
    return "".join(parts)


def _fill(at: int) -> str:
    return FILLS[min(at, len(FILLS) - 1)]
