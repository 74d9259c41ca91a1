"""The card's pictures as inline SVG: text in, text out, colours from the page's style sheet."""

from collections.abc import Sequence

from infra.pages.words import shown
from tasks.deploy.card.content import Bar

_MOST_LABELS = 40
_WIDTH, _LEFT, _RIGHT = 640, 170, 60
_SPAN = _WIDTH - _LEFT - _RIGHT


def accuracy_chart(bars: Sequence[Bar]) -> str:
    """One bar for every model, with its interval as a whisker; the first one is this release."""
    rows = [_bar_row(number, bar) for number, bar in enumerate(bars)]
    height = 34 * len(bars) + 24
    return _svg("Accuracy with intervals", height, _grid(height) + "".join(rows))


def label_chart(bar: Bar, reference: Bar | None) -> str:
    """Accuracy by label, the 40 worst, worst first; a tick marks the reference model."""
    ordered = sorted(bar.slices.items(), key=lambda each: (each[1], each[0]))[:_MOST_LABELS]
    height = 22 * len(ordered) + 24
    parts = [_grid(height)]
    for number, (label, value) in enumerate(ordered):
        y = 22 * number + 4
        parts.append(_name(label, y + 12) + _rect(y, 14, value, "label"))
        if reference is not None and label in reference.slices:
            x = _x(reference.slices[label])
            parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 1}" y2="{y + 15}"/>')
        parts.append(_number(value, y + 12))
    return _svg("Accuracy by label", height, "".join(parts))


def loss_chart(losses: Sequence[tuple[int, float]]) -> str:
    """Training loss over optimizer steps; empty text for fewer than two points."""
    if len(losses) < 2:
        return ""
    height, top, bottom = 180, 10, 24
    first, last = losses[0][0], losses[-1][0]
    high = max(value for _, value in losses) or 1.0

    def point(step: int, value: float) -> str:
        x = 50 + (_WIDTH - 60) * (step - first) / max(last - first, 1)
        return f"{x:.1f},{top + (height - top - bottom) * (1 - max(value, 0.0) / high):.1f}"

    line = " ".join(point(step, value) for step, value in losses)
    base = height - bottom
    axes = (
        f'<line class="axis" x1="50" y1="{base}" x2="{_WIDTH - 10}" y2="{base}"/>'
        f'<text class="tick" x="44" y="{top + 10}" text-anchor="end">{high:.2f}</text>'
        f'<text class="tick" x="44" y="{base}" text-anchor="end">0</text>'
        f'<text class="tick" x="50" y="{height - 6}">step {first}</text>'
        f'<text class="tick" x="{_WIDTH - 10}" y="{height - 6}" text-anchor="end">step {last}</text>'
    )
    return _svg("Training loss", height, f'{axes}<polyline class="loss" points="{line}"/>')


def _svg(title: str, height: float, body: str) -> str:
    return (
        f'<svg role="img" aria-label="{shown(title)}" viewBox="0 0 {_WIDTH} {height:.0f}"'
        f' preserveAspectRatio="xMidYMid meet"><title>{shown(title)}</title>{body}</svg>'
    )


def _x(share: float) -> float:
    return _LEFT + _SPAN * min(max(share, 0.0), 1.0)


def _grid(height: float) -> str:
    lines = []
    for percent in (0, 25, 50, 75, 100):
        x = _x(percent / 100)
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 20:.0f}"/>')
        lines.append(
            f'<text class="tick" x="{x:.1f}" y="{height - 6:.0f}" text-anchor="middle">{percent} %</text>'
        )
    return "".join(lines)


def _bar_row(number: int, bar: Bar) -> str:
    y, kind = 34 * number + 4, "ours" if number == 0 else "other"
    low, high, middle = _x(bar.lower), _x(bar.upper), y + 12
    whisker = (
        f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 5}v10'
        f'M{high:.1f} {middle - 5}v10"/>'
    )
    return _name(bar.name, y + 16) + _rect(y, 24, bar.value, kind) + whisker + _number(bar.value, y + 16)


def _rect(y: float, height: float, share: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{_x(share) - _LEFT:.1f}" height="{height}"/>'


def _name(text: str, y: float) -> str:
    short = text if len(text) <= 22 else text[:21] + "…"
    return f'<text class="name" x="{_LEFT - 8}" y="{y}" text-anchor="end">{shown(short)}</text>'


def _number(share: float, y: float) -> str:
    return f'<text class="value" x="{_WIDTH - 4}" y="{y}" text-anchor="end">{100 * share:.1f} %</text>'
