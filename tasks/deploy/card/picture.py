"""The card's charts as one stand-alone SVG, for a README or a message.

card_picture(card)      # verdict, accuracy with intervals, loss curve
"""

import re
from html import escape

from tasks.deploy.card.charts import accuracy_chart, loss_chart
from tasks.deploy.card.content import Card

_WIDTH = 680
_STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:17px;font-weight:600}
.tick{font-size:11px;fill:#59636e}.grid{stroke:#d1d9e0}.axis{stroke:#59636e}
.ours{fill:#1a7f37}.other{fill:#8c959f}.whisker{stroke:#1f2328;stroke-width:1.5;fill:none}
.loss{fill:none;stroke:#0969da;stroke-width:1.5}.pass{fill:#1a7f37}.fail,.inconclusive{fill:#cf222e}
"""


def card_picture(card: Card) -> str:
    """One SVG document; a function of the card alone, all text escaped."""
    parts = [
        f'<text class="title" x="20" y="32">{escape(card.title)}: release {card.sequence}</text>',
        f'<text class="title {card.verdict.value}" x="{_WIDTH - 20}" y="32" text-anchor="end">'
        f"{card.verdict.value.upper()}</text>",
        f'<text x="20" y="56">{escape(card.summary)}</text>',
    ]
    y = 72.0
    for title, chart in (
        ("Accuracy on the held-out rows, 95 % intervals", accuracy_chart(card.bars) if card.bars else ""),
        ("Training loss", loss_chart(card.losses)),
    ):
        if chart:
            height = _height(chart)
            parts.append(f'<text class="tick" x="20" y="{y + 12:.0f}">{title}</text>')
            placed = chart.replace(
                "<svg ", f'<svg x="20" y="{y + 20:.0f}" width="640" height="{height:.0f}" ', 1
            )
            parts.append(placed)
            y += height + 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y:.0f}" width="{_WIDTH}">'
        f"<style>{_STYLE}</style><rect width='100%' height='100%' fill='#ffffff'/>{''.join(parts)}</svg>\n"
    )


def _height(chart: str) -> float:
    found = re.search(r'viewBox="0 0 \d+ (\d+)"', chart)
    if found is None:
        raise ValueError("chart without a size")
    return float(found[1])
