"""Source rows and the one normal form of a text, shared by all sources.

normalised("  A\u0301 \n b")       # "Á b"
"""

import difflib
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from infra.digest import digest_bytes
from infra.errors import DataError
from tasks.records import Row


@dataclass(frozen=True)
class PackagedRows:
    """What a source holds: rows as they are there, what was left out and why, and what its licence asks."""

    rows: list[Row]
    dropped: dict[str, int]
    """Rows left out, by reason."""
    notice: str
    """What the licence asks to be said; empty when the source carries none."""
    source: str
    """Where the rows come from, without machine paths."""
    labels: tuple[str, ...]
    """Allowed labels, in the order in which prompts list them."""


def normalised(text: str) -> str:
    """NFC, white space collapsed to single spaces, ends stripped."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def identity(text: str) -> str:
    """The key under which two texts count as the same: normal form, case ignored."""
    return normalised(text).casefold()


def text_group(text: str) -> str:
    """The group of a row whose source names none: the text itself, by digest."""
    return digest_bytes(identity(text).encode())


def check_label(label: str, allowed: Collection[str], where: str) -> None:
    """Raises DataError that names the nearest allowed label."""
    if label in allowed:
        return
    close = difflib.get_close_matches(label, list(allowed), n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"labels: {', '.join(allowed)}"
    raise DataError(f"{where}: label {label!r} is not one of {len(allowed)} allowed labels", hint=hint)


def chosen_labels(wanted: tuple[str, ...], offered: tuple[str, ...], source: str) -> tuple[str, ...]:
    """The configured labels, or all that a packaged source offers; raises DataError for an unknown one."""
    for label in wanted:
        check_label(label, offered, f"data.labels: source {source}")
    return wanted or offered
