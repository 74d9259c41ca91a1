"""Two values of one quantity and what lies between them: before hollow, after filled.

dumbbell("accuracy 80 % before, 83 % now", Dumbbell(0.80, 0.83, 0.79, 0.87), kind="pass")
"""

from dataclasses import dataclass

from infra.pages.charts.rail import MIDDLE, Scale, dot, rail


@dataclass(frozen=True)
class Dumbbell:
    """Before and after, and the interval of the latter."""

    before: float
    after: float
    lower: float
    upper: float


def dumbbell(words: str, pair: Dumbbell, *, kind: str, low: float = 0.0, high: float = 1.0) -> str:
    """`kind` is pass (better), fail (worse) or other (within noise)."""
    scale = Scale(min(low, pair.before, pair.lower), max(high, pair.before, pair.upper))
    line = f'y1="{MIDDLE}" y2="{MIDDLE}"'
    return rail(
        words,
        f'<line class="grid" x1="{scale.at(scale.low)}" x2="{scale.at(scale.high)}" {line}/>'
        f'<line class="reach" x1="{scale.at(pair.lower)}" x2="{scale.at(pair.upper)}" {line}/>'
        f'<line class="{kind} bar" x1="{scale.at(pair.before)}" x2="{scale.at(pair.after)}" {line}/>'
        + dot(scale, pair.before, f"{kind} hollow")
        + dot(scale, pair.after, kind),
    )
