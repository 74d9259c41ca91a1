"""Red team on a card: risk × technique, the served unit and the model alone, against the champion.

grids = attack_grids(reports, champion_reports)
html = redteam_html(grids)
"""

from collections.abc import Sequence

from pydantic import Field

from infra.pages.charts.heat import Cell, heat_grid, heat_legend, step_of
from infra.pages.page import details
from infra.pages.words import shortened, shown
from tasks.records import Record
from tasks.records.redteam import Against, AttackCell, RedTeamReport

_MOST_TRANSCRIPTS, _MOST_CHARACTERS = 8, 600


class AttackRow(Record):
    """One risk under one technique."""

    risk: str
    technique: str
    hits: int | None = Field(None, description="on the served unit; None: it was not attacked")
    n: int | None = None
    blocked: int | None = None
    upper: float | None = None
    model_hits: int | None = Field(None, description="on the model alone")
    model_n: int | None = None
    before: float | None = Field(None, description="share on the champion's served unit")
    apart: bool = Field(False, description="the intervals of both do not overlap")


class Transcript(Record):
    """An attack that succeeded, or came closest; redacted before, shortened here."""

    about: str
    attack: str
    reply: str


class AttackGrid(Record):
    """One tier."""

    tier: str
    rows: tuple[AttackRow, ...]
    worst: tuple[Transcript, ...]
    benign: int
    refused: int
    corpora: dict[str, str]
    skipped: tuple[str, ...]
    compared: bool = Field(description="whether a report about the champion was there")


def attack_grids(
    reports: Sequence[RedTeamReport], before: Sequence[RedTeamReport] = ()
) -> tuple[AttackGrid, ...]:
    """A grid for each tier; the champion's report of the same tier gives the differences."""
    earlier = {report.tier: report for report in before}
    return tuple(_grid(report, earlier.get(report.tier)) for report in reports)


def _grid(report: RedTeamReport, before: RedTeamReport | None) -> AttackGrid:
    unit, model = _cells(report, "unit"), _cells(report, "model")
    old = _cells(before, "unit") if before is not None else {}
    rows = [_row(key, unit.get(key), model.get(key), old.get(key)) for key in dict.fromkeys([*unit, *model])]
    return AttackGrid(
        tier=report.tier,
        rows=tuple(rows),
        worst=tuple(
            Transcript(
                about=shortened(
                    f"{each.risk} · {each.technique} · {each.family} · {each.detector}"
                    f" · against the {'served unit' if each.against == 'unit' else 'model alone'}",
                    240,
                ),
                attack=shortened(each.attack, _MOST_CHARACTERS),
                reply=shortened(each.reply, _MOST_CHARACTERS),
            )
            for each in report.worst[:_MOST_TRANSCRIPTS]
        ),
        benign=report.benign,
        refused=report.refused,
        corpora=report.corpora,
        skipped=report.skipped,
        compared=before is not None,
    )


def _cells(report: RedTeamReport, against: Against) -> dict[tuple[str, str], AttackCell]:
    return {(cell.risk, cell.technique): cell for cell in report.cells if cell.against == against}


def _row(
    key: tuple[str, str], unit: AttackCell | None, model: AttackCell | None, old: AttackCell | None
) -> AttackRow:
    apart = unit is not None and old is not None and (unit.lower > old.upper or unit.upper < old.lower)
    return AttackRow(
        risk=key[0],
        technique=key[1],
        hits=unit.hits if unit else None,
        n=unit.n if unit else None,
        blocked=unit.blocked if unit else None,
        upper=unit.upper if unit else None,
        model_hits=model.hits if model else None,
        model_n=model.n if model else None,
        before=old.hits / old.n if old else None,
        apart=apart,
    )


def redteam_html(grids: tuple[AttackGrid, ...]) -> str:
    """Says so when nothing was attacked."""
    if not grids:
        return '<p class="missing">Not measured: no red-team report belongs to this evidence.</p>'
    return "".join(map(_grid_html, grids))


def _grid_html(grid: AttackGrid) -> str:
    risks = list(dict.fromkeys(row.risk for row in grid.rows))
    techniques = list(dict.fromkeys(row.technique for row in grid.rows))
    # The longer list goes down: a page is higher than wide.
    down, across = (risks, techniques) if len(risks) >= len(techniques) else (techniques, risks)
    cells = {
        ((row.risk, row.technique) if down is risks else (row.technique, row.risk)): _cell(row)
        for row in grid.rows
    }
    change = (
        " ▲ and ▼: points more or less than the champion, with ! where the intervals are apart."
        if grid.compared
        else " No red-team report about a champion: no differences are shown."
    )
    note = (
        f'<p class="note">Tier {shown(grid.tier)}. Successful attacks of attempts on the served unit (guard,'
        f" prompt and model), the upper bound of that share, and the model alone.{change}</p>"
    )
    corner = "risk ↓ technique →" if down is risks else "technique ↓ risk →"
    table = heat_grid(f"Attack success, tier {grid.tier}", down, across, cells, corner=corner)
    return note + heat_legend("share of attacks that succeed:") + table + _benign(grid) + _sources(grid)


def _cell(row: AttackRow) -> Cell:
    model = f"model {row.model_hits}/{row.model_n}" if row.model_n is not None else "model –"
    if row.hits is None or row.n is None or row.upper is None:
        share = (row.model_hits or 0) / (row.model_n or 1)
        return Cell(step_of(share), ("unit –", model))
    lines = (f"{row.hits}/{row.n}", f"≤ {100 * row.upper:.1f} %", model)
    return Cell(step_of(row.hits / row.n), lines, mark=_change(row))


def _change(row: AttackRow) -> str:
    if row.before is None or row.hits is None or row.n is None:
        return ""
    points = 100 * (row.hits / row.n - row.before)
    if abs(points) < 0.05:
        return ""
    return f"{'▲' if points > 0 else '▼'}{abs(points):.0f}{'!' if row.apart else ''}"


def _benign(grid: AttackGrid) -> str:
    if not grid.benign:
        return '<p class="note">Over-refusal: not measured.</p>'
    return (
        f"<p>{grid.refused} of {grid.benign} harmless prompts that look alarming were refused"
        f" ({100 * grid.refused / grid.benign:.1f} %).</p>"
    )


def _sources(grid: AttackGrid) -> str:
    parts = []
    if grid.worst:
        shownall = "".join(
            f"<h3>{shown(each.about)}</h3><pre>{shown(each.attack, most=900, lines=True)}</pre>"
            f"<pre>{shown(each.reply, most=900, lines=True)}</pre>"
            for each in grid.worst
        )
        parts.append(
            details(f"Worst transcripts, redacted: attack, then reply ({len(grid.worst)})", shownall)
        )
    if grid.corpora:
        names = "".join(
            f"<li>{shown(name)}: {shown(origin)}</li>" for name, origin in sorted(grid.corpora.items())
        )
        left = "".join(f"<li>not read: {shown(each)}</li>" for each in grid.skipped)
        parts.append(details("Corpora and where they come from", f"<ul>{names}{left}</ul>"))
    return "".join(parts)
