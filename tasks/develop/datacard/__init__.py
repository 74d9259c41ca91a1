"""The data card: what a data set is, from where, for what, how it was prepared and what it is not good for.

card = make_data_card(dataset, project)
card_markdown(card)                 # the Markdown that data set hubs show; card_html(card) for our own page
"""

from tasks.develop.datacard.content import DataCard, make_data_card
from tasks.develop.datacard.render import card_html, card_markdown

__all__ = ["DataCard", "card_html", "card_markdown", "make_data_card"]
