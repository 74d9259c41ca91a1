"""The card as one HTML file: no script, no external asset, light and dark, printable; all text escaped."""

from html import escape

from infra.pages.page import html_page, section
from tasks.deploy.card.charts import accuracy_chart, label_chart, loss_chart
from tasks.deploy.card.content import Card, GateRow, Ingredient
from tasks.records import Verdict

_WORDS = {
    Verdict.PASS: "PASS: every gate passes",
    Verdict.FAIL: "FAIL: a gate fails",
    Verdict.INCONCLUSIVE: "INCONCLUSIVE: not proven",
}


def card_page(card: Card) -> str:
    """The whole page; a function of the card alone."""
    header = f"<p>unit <code>{escape(card.unit)}</code><br>made {escape(card.created)}{_expiry(card)}</p>"
    verdict = (
        f'<section class="verdict {card.verdict.value}"><p class="word">{escape(_WORDS[card.verdict])}</p>'
        f"<p>{escape(card.headline)}</p><p>{escape(card.summary)}</p></section>"
    )
    return html_page(
        f"{card.title}: release {card.sequence}",
        header,
        (
            verdict,
            section("Accuracy on the held-out rows", _accuracy(card)),
            section("Gates", _gates(card.gates)),
            section("Approval", f"<p>{escape(card.approval)}</p>"),
            section("Accuracy by label", _labels(card)),
            section("Training", f"<p>{escape(card.training)}</p>{loss_chart(card.losses)}"),
            section("Made of", _ingredients(card)),
            section("Commands", _commands()),
        ),
    )


def _expiry(card: Card) -> str:
    return f", must not be served after {escape(card.expires)}" if card.expires else ""


def _accuracy(card: Card) -> str:
    return accuracy_chart(card.bars) if card.bars else "<p>No accuracy was measured.</p>"


def _labels(card: Card) -> str:
    if not card.bars or not card.bars[0].slices:
        return ""
    others = [bar for bar in card.bars[1:] if bar.slices]
    reference = others[0] if others else None
    note = f"<p>The line in each row marks: {escape(reference.name)}.</p>" if reference else ""
    return note + label_chart(card.bars[0], reference)


def _gates(rows: tuple[GateRow, ...]) -> str:
    heads = "".join(f"<th>{name}</th>" for name in ("gate", "got", "interval", "limit", "n", "verdict"))
    return (
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead>{"".join(map(_gate, rows))}</table></div>'
    )


def _gate(row: GateRow) -> str:
    cells = "".join(f"<td>{escape(text)}</td>" for text in (row.got, row.interval, row.limit, row.n))
    return (
        f"<tbody><tr><th>{escape(row.gate)}<br><small>{escape(row.metric)}</small></th>{cells}"
        f'<td class="{row.verdict.value}">{escape(row.verdict.value)}</td></tr>'
        f'<tr class="words"><td colspan="6">{escape(row.message)}</td></tr></tbody>'
    )


def _ingredients(card: Card) -> str:
    rows = "".join(map(_ingredient, card.ingredients))
    split = ", ".join(f"{count} {name}" for name, count in card.rows.items())
    notices = "".join(
        f"<blockquote><strong>{escape(each.name)}</strong> ({escape(each.licence)}): {escape(each.notice)}"
        "</blockquote>"
        for each in card.ingredients
        if each.notice
    )
    return f'<p>Rows: {escape(split)}.</p><div class="wide"><table>{rows}</table></div>{notices}'


def _ingredient(each: Ingredient) -> str:
    details = " · ".join(escape(text) for text in (each.licence, each.source) if text)
    return (
        f"<tr><th>{escape(each.part)}</th><td>{escape(each.name)}"
        f"{f'<br><small>{details}</small>' if details else ''}</td>"
        f'<td><code title="{escape(each.digest)}">{escape(each.digest)}</code></td></tr>'
    )


def _commands() -> str:
    commands = (
        ("check every byte and signature", "assay release verify NAME"),
        ("back to the release before", "assay release rollback --reason 'why'"),
        ("who approved it and what was served", "assay release list"),
    )
    rows = "".join(
        f"<tr><th>{escape(what)}</th><td><code>{escape(line)}</code></td></tr>" for what, line in commands
    )
    return (
        "<p>NAME is the name of the directory that holds this card: the digest of its signed manifest, which"
        f' covers this page too.</p><div class="wide"><table>{rows}</table></div>'
    )
