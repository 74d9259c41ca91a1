"""The card as a Markdown artefact for the Prefect UI: verdict, picture, gates; the picture is a data URI.

card_markdown(card, "/srv/assay/releases/…/card.html")
"""

import base64

from tasks.deploy.card.content import Card
from tasks.deploy.card.modelcard import cell, gate_table
from tasks.deploy.card.page import verdict_words
from tasks.deploy.card.picture import card_picture


def card_markdown(card: Card, place: str) -> str:
    """A function of the card and of where its page lies; no text of others is markup in it."""
    picture = base64.b64encode(card_picture(card).encode()).decode()
    return "\n\n".join(
        (
            f"# {cell(card.name)}",
            f"**{cell(verdict_words(card))}**",
            cell(card.headline),
            cell(card.summary),
            f"![{cell(card.headline)}](data:image/svg+xml;base64,{picture})",
            gate_table(card.gates),
            f"Unit {cell(card.unit)}",
            f"Card: {cell(place)} (`assay card open {card.unit.removeprefix('sha256:')[:12]}`)",
        )
    )
