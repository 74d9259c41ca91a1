"""Values with intervals beside a band within which differences count as none.

banded_dot("women: 1.2 % flips", 0.012, 0.004, 0.02, within=(0.0, 0.05), scale=Scale(0, 0.1), kind="ours")
"""

from infra.pages.charts.rail import Scale, band, dot, mark, rail, track, whisker


def banded_dot(
    words: str,
    value: float,
    lower: float,
    upper: float,
    *,
    within: tuple[float, float] | None,
    scale: Scale,
    kind: str,
    zero: float | None = None,
) -> str:
    """One line; `zero` marks where there is no difference at all."""
    middle = mark(scale, zero, "grid") if zero is not None else ""
    return rail(
        words,
        track(scale)
        + (band(scale, *within) if within is not None else "")
        + middle
        + whisker(scale, lower, upper, kind)
        + dot(scale, value, kind),
    )
