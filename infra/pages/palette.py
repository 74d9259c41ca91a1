"""The colours of all pages, by role, light and dark, and the contrast between two of them.

contrast(LIGHT["ink"], LIGHT["paper"])      # 16.5; WCAG 2 asks for 4.5
"""

from collections.abc import Mapping
from types import MappingProxyType

HEAT_STEPS = 6
"""Steps of the scale of heat grids: `heat0` (nothing) to `heat5`."""

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#ffffff", "panel": "#f5f7f9", "track": "#e4e9ee", "line": "#d5dae0",
        "ink": "#1b1f24", "soft": "#566069", "ours": "#2160c4", "other": "#5f6b78",
        "pass": "#146b44", "fail": "#b91f27", "wait": "#7d5300",
        "pass-tint": "#dff2e7", "fail-tint": "#fce4e4", "wait-tint": "#fbeecb",
        "heat0": "#e3f3e9", "heat1": "#fdf3cf", "heat2": "#fde0ad",
        "heat3": "#fbc598", "heat4": "#f5a388", "heat5": "#ea7f74",
    }
)  # fmt: skip
DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#14181d", "panel": "#1b2128", "track": "#2c353f", "line": "#37414c",
        "ink": "#e8ecf1", "soft": "#a6b1bd", "ours": "#7fadf9", "other": "#939eab",
        "pass": "#55cc93", "fail": "#ff8f91", "wait": "#e6b94a",
        "pass-tint": "#163526", "fail-tint": "#451a1d", "wait-tint": "#3a2d0c",
        "heat0": "#162b20", "heat1": "#38300f", "heat2": "#4b3310",
        "heat3": "#5c3212", "heat4": "#702c1a", "heat5": "#8a2824",
    }
)  # fmt: skip

_TEXT = ("ink", "soft", "ours", "other", "pass", "fail", "wait")
PAIRS: tuple[tuple[str, str], ...] = (
    *((text, ground) for ground in ("paper", "panel") for text in _TEXT),
    *((verdict, f"{verdict}-tint") for verdict in ("pass", "fail", "wait")),
    *(("ink", f"{verdict}-tint") for verdict in ("pass", "fail", "wait")),
    *(("ink", f"heat{step}") for step in range(HEAT_STEPS)),
    ("fail", "pass-tint"),
    ("ink", "track"),
    ("soft", "track"),
)
"""(text, ground): every pair that the style sheet puts on one another."""


def variables(colours: Mapping[str, str]) -> str:
    """The colours as CSS custom properties."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours (#rrggbb), 1 to 21: WCAG 2.2, success criterion 1.4.3."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
