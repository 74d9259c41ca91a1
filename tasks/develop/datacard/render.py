"""A data card as Markdown with a YAML head, or as HTML for a page; both escape every text they are given.

card_markdown(card), card_html(card)
"""

import re
from html import escape

import yaml

from tasks.develop.datacard.content import CardPart, DataCard, Table

_MARKUP = re.compile(r"([\\`*_\[\]|#~!$])")


def card_markdown(card: DataCard) -> str:
    """The card as data set hubs read it: front matter, headings, pipe tables."""
    front = yaml.safe_dump(card.front, sort_keys=False, allow_unicode=True)
    parts = "\n".join(_markdown_part(part) for part in card.parts)
    return f"---\n{front}---\n\n# {_plain(card.title)}\n\n{parts}"


def card_html(card: DataCard) -> str:
    """The card's parts below one another, with third-level headings."""
    return "".join(_html_part(part) for part in card.parts)


def _markdown_part(part: CardPart) -> str:
    blocks = [f"## {_plain(part.title)}", *map(_plain, part.paragraphs)]
    if part.points:
        blocks.append("\n".join(f"- {_plain(point)}" for point in part.points))
    if part.table is not None:
        blocks.append(_markdown_table(part.table))
    return "\n\n".join(blocks) + "\n"


def _markdown_table(table: Table) -> str:
    lines = [table.heads, tuple("---" for _ in table.heads)]
    body = [tuple(_plain(cell) for cell in row) for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (*lines, *body))


def _plain(text: str) -> str:
    """The text on one line, without meaning to Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", escape(" ".join(text.split()), quote=False))


def _html_part(part: CardPart) -> str:
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in part.paragraphs)
    points = "".join(f"<li>{escape(point)}</li>" for point in part.points)
    listed = f"<ul>{points}</ul>" if points else ""
    table = table_html(part.table) if part.table is not None else ""
    return f"<h3>{escape(part.title)}</h3>{paragraphs}{listed}{table}"


def table_html(table: Table) -> str:
    """A table that scrolls by itself; digests in fixed width."""
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(text: str) -> str:
    shown = f"<code>{escape(text)}</code>" if text.startswith("sha256:") else escape(text)
    return f"<td>{shown}</td>"
