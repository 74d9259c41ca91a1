"""The card's charts as one stand-alone SVG, for a README, a message or the Prefect UI.

card_picture(card)      # verdict, gates against their limits, accuracy with intervals, loss curve
"""

import re

from infra.pages.charts.frame import shortened
from infra.pages.palette import LIGHT
from infra.pages.words import shown
from tasks.deploy.card import quantity
from tasks.deploy.card.charts import accuracy_chart, loss_chart
from tasks.deploy.card.content import Card
from tasks.deploy.card.gates import GateRow, gate_chart
from tasks.deploy.card.page import verdict_words

_WIDTH, _ROW, _MOST_GATES = 680, 44, 16
_STYLE = """
text{font:13px system-ui,sans-serif;fill:var(--ink)}.title{font-size:17px;font-weight:600}
.tick{font-size:11px;fill:var(--soft)}.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
rect.ours{fill:var(--ours)}rect.other{fill:var(--other)}
.whisker{stroke:var(--ink);stroke-width:1.5;fill:none}
.loss{fill:none;stroke:var(--ours);stroke-width:1.5}.mark{stroke:var(--ink);stroke-width:2}
.track{fill:var(--track)}.good{fill:var(--pass-tint);stroke:var(--pass);stroke-opacity:.35}
line.pass,line.fail,line.inconclusive{stroke-width:2}circle{stroke:var(--paper)}
line.pass{stroke:var(--pass)}line.fail{stroke:var(--fail)}line.inconclusive{stroke:var(--wait)}
circle.pass,text.pass{fill:var(--pass)}circle.fail,text.fail{fill:var(--fail)}
circle.inconclusive,text.inconclusive{fill:var(--wait)}
"""


def card_picture(card: Card) -> str:
    """One SVG document; a function of the card alone, all text escaped."""
    parts = [
        f'<text class="title" x="20" y="32">{shown(shortened(card.name, 44))}</text>',
        f'<text class="title {card.verdict.value}" x="{_WIDTH - 20}" y="32" text-anchor="end">'
        f"{shown(verdict_words(card))}</text>",
        f'<text x="20" y="56">{shown(shortened(card.summary, 96))}</text>',
    ]
    y = 72.0
    for row in [row for row in card.gates if gate_chart(row)][:_MOST_GATES]:
        parts.append(_gate(row, y))
        y += _ROW
    for title, chart in (
        ("Accuracy on the held-out rows, with intervals", accuracy_chart(card.bars) if card.bars else ""),
        ("Training loss", loss_chart(card.losses)),
    ):
        if chart:
            height = _height(chart)
            parts.append(f'<text class="tick" x="20" y="{y + 12:.0f}">{title}</text>')
            parts.append(_placed(chart, 20, y + 20, 640, height))
            y += height + 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y:.0f}" width="{_WIDTH}">'
        f"<style>{_style()}</style><rect width='100%' height='100%' fill='{LIGHT['paper']}'/>"
        f"{''.join(parts)}</svg>\n"
    )


def _gate(row: GateRow, y: float) -> str:
    figure = quantity.show(row.metric, row.value) if row.value is not None else ""
    kind = "fail" if row.waiver is not None else row.verdict.value
    word = "waived" if row.waiver is not None else row.verdict.value
    return (
        f'<text x="20" y="{y + 17:.0f}">{shown(shortened(row.gate, 34))}</text>'
        f"{_placed(gate_chart(row), 260, y, 270, 40)}"
        f'<text class="{kind}" x="{_WIDTH - 20}" y="{y + 17:.0f}" text-anchor="end">'
        f"{shown(f'{figure} {word}')}</text>"
    )


def _placed(chart: str, x: float, y: float, width: float, height: float) -> str:
    """A chart inside of another picture; sizes that it brings are replaced."""
    head, mark, rest = chart.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    place = f' x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f"{head}{place}{mark}{rest}"


def _style() -> str:
    """Stand-alone pictures are shown by programs that know no variables."""
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: LIGHT[found[1]], _STYLE)


def _height(chart: str) -> float:
    found = re.search(r'viewBox="0 0 \d+ (\d+)"', chart)
    if found is None:
        raise ValueError("chart without a size")
    return float(found[1])
