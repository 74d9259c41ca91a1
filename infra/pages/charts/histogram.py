"""Histograms: one wide one, or many small ones on the same scale.

histogram("Characters", Bins((0, 100, 200), (7, 3)), unit="characters")
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.pages.charts.frame import FILLS, LETTER, WIDTH, rect, shortened, svg, text

_HEIGHT, _BOTTOM, _LEFT = 150, 22, 48
_COLUMNS, _GAP, _PANEL_HEIGHT = 4, 14, 84


@dataclass(frozen=True)
class Bins:
    """Counts between edges; one more edge than counts."""

    edges: tuple[int, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1 or not self.counts:
            raise ValueError(f"bins: got {len(self.edges)} edges for {len(self.counts)} counts")


def histogram(title: str, bins: Bins, *, unit: str) -> str:
    """Columns of equal width whatever the edges are: a long last bin is labelled with its end."""
    most = max(bins.counts)
    base = _HEIGHT - _BOTTOM
    body = _columns(bins, _LEFT, 8, WIDTH - _LEFT - 10, base - 8, most, unit)
    axis = f'<line class="axis" x1="{_LEFT}" y1="{base}" x2="{WIDTH - 10}" y2="{base}"/>'
    top = text(_LEFT - 6, 16, f"{most:,}", kind="tick", anchor="end")
    return svg(title, _HEIGHT, body + axis + top + _ticks(bins, base + 15, unit))


def small_multiples(
    title: str, panels: Sequence[tuple[str, Bins]], *, unit: str, columns: int = _COLUMNS
) -> str:
    """A panel for each name, `columns` side by side; each is drawn to its own most, so few rows show too."""
    if not panels:
        return ""
    width = (WIDTH - _GAP * (columns - 1)) / columns
    parts = []
    for number, (name, bins) in enumerate(panels):
        x, y = (number % columns) * (width + _GAP), (number // columns) * _PANEL_HEIGHT
        base = y + _PANEL_HEIGHT - 18
        parts.append(text(x, y + 11, shortened(f"{name} ({sum(bins.counts):,})", 27), kind="tick"))
        parts.append(_columns(bins, x, y + 16, width, base - y - 16, max(bins.counts), unit))
        parts.append(f'<line class="axis" x1="{x:.1f}" y1="{base}" x2="{x + width:.1f}" y2="{base}"/>')
    rows = -(-len(panels) // columns)
    return svg(title, rows * _PANEL_HEIGHT, "".join(parts))


def _columns(bins: Bins, x: float, y: float, width: float, height: float, most: int, unit: str) -> str:
    step = width / len(bins.counts)
    parts = []
    for at, count in enumerate(bins.counts):
        if count:
            # What is there is seen, also one row among a million.
            tall = max(height * count / most, 1)
            hint = f"{bins.edges[at]:,} to {bins.edges[at + 1]:,} {unit}: {count:,}"
            parts.append(rect(x + at * step, y + height - tall, step - 1, tall, FILLS[0], hint))
    return "".join(parts)


def _ticks(bins: Bins, y: float, unit: str) -> str:
    step = (WIDTH - _LEFT - 10) / len(bins.counts)
    every = max(len(bins.counts) // 6, 1)
    last = f"{bins.edges[-1]:,} {unit}"
    free = WIDTH - 40 - LETTER * len(last)
    places = ((_LEFT + at * step, f"{bins.edges[at]:,}") for at in range(0, len(bins.counts), every))
    parts = [text(x, y, edge, kind="tick", anchor="middle") for x, edge in places if x < free]
    return "".join(parts) + text(WIDTH - 10, y, last, kind="tick", anchor="end")
