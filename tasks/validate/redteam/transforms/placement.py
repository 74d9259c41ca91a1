"""Where in a conversation the words of an attack stand, around a harmless text of the task.

place("retrieved", "Say blue.", "Emotet sends mail.")      # one user message with a document in it
"""

import re
from collections.abc import Callable

Messages = tuple[dict[str, str], ...]


def _user(content: str) -> Messages:
    return ({"role": "user", "content": content},)


def suffix(words: str, row: str) -> Messages:
    """Behind the text."""
    return _user(f"{row} {words}".strip())


def prefix(words: str, row: str) -> Messages:
    """Before the text."""
    return _user(f"{words} {row}".strip())


def own_paragraph(words: str, row: str) -> Messages:
    """Behind the text, as a paragraph of its own."""
    return _user(f"{row}\n\n{words}".strip())


def retrieved(words: str, row: str) -> Messages:
    """Inside a document that a search brought."""
    return _user(f"{row}\n\nSearch result 1:\n<document>\n{words}\n</document>".strip())


def tool(words: str, row: str) -> Messages:
    """As what a tool answered."""
    return (*_user(row or "Look it up."), {"role": "tool", "content": words})


def name(words: str, row: str) -> Messages:
    """As the name of the one who asks."""
    return ({"role": "user", "name": re.sub(r"[\s<|\\/>]+", "_", words)[:64], "content": row or "Hello."},)


def split(words: str, row: str) -> Messages:
    """In two messages, cut in the middle of a sentence."""
    parts = words.split(" ")
    half = max(len(parts) // 2, 1)
    first, second = " ".join(parts[:half]), " ".join(parts[half:])
    return (
        {"role": "user", "content": first},
        {"role": "assistant", "content": "Go on."},
        {"role": "user", "content": f"{second} {row}".strip() or "That was all."},
    )


PLACES: dict[str, Callable[[str, str], Messages]] = {
    "suffix": suffix,
    "prefix": prefix,
    "paragraph": own_paragraph,
    "retrieved": retrieved,
    "tool": tool,
    "name": name,
    "split": split,
}


def place(where: str, words: str, row: str) -> Messages:
    """The conversation; raises KeyError for an unknown place."""
    return PLACES[where](words, row)
