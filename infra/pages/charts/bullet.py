"""A bullet chart: a value with its interval against a limit.

bullet("accuracy 87 %, limit 50 %", Bullet(0.873, 0.843, 0.903, 0.5, above=True), kind="pass", limit="≥ 50 %")

After Stephen Few's bullet graph, with the interval in place of the bar: what decides is its bound.
"""

from dataclasses import dataclass

from infra.pages.charts.rail import Scale, band, dot, label, mark, rail, track, whisker


@dataclass(frozen=True)
class Bullet:
    """All in one unit; `above`: allowed is what lies above the limit."""

    value: float
    lower: float
    upper: float
    limit: float
    above: bool
    low: float = 0.0
    high: float = 1.0

    @property
    def scale(self) -> Scale:
        """From `low` to `high`, and on to whatever lies outside of that."""
        return Scale(min(self.low, self.lower, self.limit), max(self.high, self.upper, self.limit))


def bullet(words: str, chart: Bullet, *, kind: str, limit: str) -> str:
    """`kind` colours the value (pass, fail, inconclusive); `limit` is written at the limit's mark."""
    scale = chart.scale
    good = (chart.limit, scale.high) if chart.above else (scale.low, chart.limit)
    return rail(
        words,
        track(scale)
        + band(scale, *good)
        + mark(scale, chart.limit)
        + whisker(scale, chart.lower, chart.upper, kind)
        + dot(scale, chart.value, kind)
        + label(scale, chart.limit, limit, y=36),
        height=40,
    )
