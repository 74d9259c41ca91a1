"""Many questions at once: the chance of one false alarm among all of them stays at alpha.

holm({"impact": 0.001, "discovery": 0.03, "exfiltration": 0.5})    # adjusted p, comparable with alpha
"""

from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")


def holm(p_values: Mapping[K, float]) -> dict[K, float]:
    """Adjusted p values of the step-down procedure (Holm, Scand. J. Statist. 6 (1979) 65-70).

    Holds for any dependence between the tests. In the order given; raises ValueError for anything that is
    no probability.
    """
    for name, p in p_values.items():
        if not 0 <= p <= 1:  # false for NaN too
            raise ValueError(f"{name}: got p = {p}, expected a probability")
    adjusted: dict[K, float] = {}
    worst = 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p_values}
