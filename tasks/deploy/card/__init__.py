"""The release card: one page on which a person decides about a release within a minute.

card = make_card(candidate, report, evidence, CardFacts(title="Incident triage", approval="auto"))
html = card_page(card)            # one file, no external assets
text = model_card(card)           # MODEL_CARD.md from the same record
"""

from tasks.deploy.card.content import Card, card_json, make_card
from tasks.deploy.card.facts import CardFacts, Champion, Event, MadeFrom
from tasks.deploy.card.page import card_page

__all__ = ["Card", "CardFacts", "Champion", "Event", "MadeFrom", "card_json", "card_page", "make_card"]
