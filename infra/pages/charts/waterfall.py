"""How a number falls from step to step: what stayed, and what each step took away.

waterfall("Rows", [Level("read", 900, 900), Level("duplicates", 900, 850)])
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.pages.charts.frame import FILLS, LOST, WIDTH, legend, rect, shortened, svg, text

_LEFT, _RIGHT, _ROW, _TOP = 130, 130, 26, 22


@dataclass(frozen=True)
class Level:
    """One step, from `before` to `after`."""

    name: str
    before: int
    after: int


def waterfall(title: str, levels: Sequence[Level], *, kept: str = "stays", lost: str = "left out") -> str:
    """Empty for no levels."""
    if not levels:
        return ""
    most = max(max(level.before, level.after) for level in levels) or 1
    names = legend([(kept, FILLS[0]), (lost, LOST)], _LEFT, 12)
    rows = "".join(_row(_TOP + _ROW * number, level, most) for number, level in enumerate(levels))
    return svg(title, _TOP + _ROW * len(levels) + 4, names + rows)


def _row(y: float, level: Level, most: int) -> str:
    scale = (WIDTH - _LEFT - _RIGHT) / most
    taken = max(level.before - level.after, 0)
    # A step that took little is still seen to have taken something.
    width = max(scale * taken, 1.5) if taken else 0.0
    change = f" (−{taken:,})" if taken else ""
    parts = [
        text(_LEFT - 8, y + 15, shortened(level.name, 18), anchor="end"),
        rect(_LEFT, y + 3, scale * level.after, _ROW - 8, FILLS[0], f"{level.name}: {level.after:,} stay"),
        rect(_LEFT + scale * level.after, y + 3, width, _ROW - 8, LOST, f"{level.name}: {taken:,} left out"),
        text(
            _LEFT + scale * max(level.before, level.after) + 6,
            y + 15,
            f"{level.after:,}{change}",
            kind="tick",
        ),
    ]
    return "".join(parts)
