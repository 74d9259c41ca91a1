"""A heat grid as a table: rows × columns, each cell a colour of six and its words.

heat_grid("Attack success", ["injection"], ["base64"], {("injection", "base64"): Cell(2, ("3/60", "≤ 14 %"))})

A table and not a picture: a reader of the screen says row and column of each cell, and words wrap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.pages.palette import HEAT_STEPS
from infra.pages.words import shown

LIMITS = (0.0, 0.02, 0.05, 0.10, 0.25)
"""Upper ends of all steps but the last: 0 is the first."""


@dataclass(frozen=True)
class Cell:
    """Colour and words of one cell; the first line stands out."""

    step: int
    lines: tuple[str, ...]
    mark: str = ""
    """A short sign beside the first line."""

    def __post_init__(self) -> None:
        if not 0 <= self.step < HEAT_STEPS or not self.lines:
            raise ValueError(f"cell: got step {self.step} and {len(self.lines)} lines")


def step_of(share: float) -> int:
    """The colour of a share: 0 for none, 5 for more than a quarter."""
    return next((step for step, limit in enumerate(LIMITS) if share <= limit), len(LIMITS))


def heat_grid(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], Cell],
    *,
    corner: str = "",
    empty: str = "not tried",
) -> str:
    """Empty for no rows or columns; cells that are not given are said to be empty."""
    if not rows or not columns:
        return ""
    head = "".join(f'<th scope="col"><span>{_breakable(name)}</span></th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{_breakable(row)}</th>'
        + "".join(_cell(cells.get((row, column)), empty) for column in columns)
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table class="heat"><caption>{shown(title)}</caption><thead><tr>'
        f'<td class="corner">{shown(corner)}</td>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def heat_legend(words: str) -> str:
    """The colours and what they stand for."""
    names = ["0", *(f"≤ {100 * limit:g} %" for limit in LIMITS[1:]), f"> {100 * LIMITS[-1]:g} %"]
    keys = "".join(f'<span class="key heat{step}">{name}</span>' for step, name in enumerate(names))
    return f'<p class="keys"><span>{shown(words)}</span> {keys}</p>'


def _cell(cell: Cell | None, empty: str) -> str:
    if cell is None:
        return f'<td class="none"><span title="{shown(empty)}">–</span></td>'
    first, *rest = (shown(line) for line in cell.lines)
    more = "".join(f"<small>{line}</small>" for line in rest)
    mark = f" <em>{shown(cell.mark)}</em>" if cell.mark else ""
    return f'<td class="heat{cell.step}"><b>{first}</b>{mark}{more}</td>'


def _breakable(name: str) -> str:
    """Names of keys may break after their joints."""
    return shown(name).replace("_", "_<wbr>").replace("/", "/<wbr>")
