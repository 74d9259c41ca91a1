"""The card as one HTML file: no script, no external asset, light and dark, printable; all text escaped."""

from infra.pages.page import html_page, section
from infra.pages.words import shown
from tasks.deploy.card.changes import changes_html
from tasks.deploy.card.charts import label_chart, loss_chart
from tasks.deploy.card.comparison import comparison_html
from tasks.deploy.card.content import Card, Tile
from tasks.deploy.card.custody import custody_html
from tasks.deploy.card.decision import decision_html
from tasks.deploy.card.fairness import fairness_html
from tasks.deploy.card.gates import gates_html
from tasks.deploy.card.ingredients import ingredients_html
from tasks.deploy.card.operation import operation_html
from tasks.deploy.card.redteam import redteam_html
from tasks.records import Verdict

_WORDS = {
    Verdict.PASS: "PASS: every gate passes",
    Verdict.FAIL: "FAIL: a gate fails",
    Verdict.INCONCLUSIVE: "INCONCLUSIVE: not proven",
}


def card_page(card: Card) -> str:
    """The whole page; a function of the card alone."""
    return html_page(
        card.name,
        f"<p>unit <code>{shown(card.unit)}</code><br>made {shown(card.created)}{_expiry(card)}</p>",
        (
            _verdict(card),
            f'<ul class="tiles">{"".join(map(_tile, card.tiles))}</ul>',
            section("Gates", gates_html(card.gates, card.checks, card.refused)),
            section("Champion and candidate", comparison_html(card.comparison)),
            section("Red team", redteam_html(card.redteam)),
            section("Fairness", fairness_html(card.fairness)),
            section("Cost and latency", operation_html(card.operation)),
            section("What changed since the champion", changes_html(card.changes)),
            section("Chain of custody", custody_html(card.custody)),
            section("Decision", decision_html(card.decision)),
            section("Accuracy by label", _labels(card)),
            section(
                "Training", f'<p>{shown(card.training)}</p><div class="wide pictures">{_losses(card)}</div>'
            ),
            section("Made of", ingredients_html(card.ingredients, card.rows)),
        ),
    )


def _expiry(card: Card) -> str:
    return f", must not be served after {shown(card.expires)}" if card.expires else ""


def verdict_words(card: Card) -> str:
    """The verdict in words; a pass on waivers never looks like a plain one."""
    if card.verdict == Verdict.PASS and card.waived:
        return f"PASS, on {card.waived} waiver{'s' if card.waived > 1 else ''}"
    return _WORDS[card.verdict]


def _verdict(card: Card) -> str:
    waived = ""
    if card.waived:
        gates = "One gate counts" if card.waived == 1 else f"{card.waived} gates count"
        waived = f'<p class="waived"><strong>{gates} only because a person answers for it.</strong></p>'
    return (
        f'<section class="verdict {card.verdict.value}"><p class="word">{shown(verdict_words(card))}</p>'
        f"{waived}<p>{shown(card.headline, most=700)}</p><p>{shown(card.summary)}</p></section>"
    )


def _tile(tile: Tile) -> str:
    remark = f"<span>{shown(tile.remark)}</span>"
    return f"<li><span>{shown(tile.name)}</span><b>{shown(tile.figure)}</b>{remark}</li>"


def _labels(card: Card) -> str:
    if not card.bars or not card.bars[0].slices:
        return '<p class="missing">Not measured by label.</p>'
    others = [bar for bar in card.bars[1:] if bar.slices]
    reference = others[0] if others else None
    note = f'<p class="note">The line in each row marks: {shown(reference.name)}.</p>' if reference else ""
    return f'{note}<div class="wide pictures">{label_chart(card.bars[0], reference)}</div>'


def _losses(card: Card) -> str:
    return loss_chart(card.losses) or '<p class="missing">No loss curve was kept.</p>'
