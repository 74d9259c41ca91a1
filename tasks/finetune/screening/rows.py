"""A training row's name in reports and decisions: the digest of its label and text, never the text.

row_id(Row(text="Emotet sends mail.", label="initial-access", group="emotet"))    # "sha256:…"
"""

from collections.abc import Iterable, Sequence

from infra.digest import digest_json
from infra.errors import DataError
from tasks.records import Row


def row_id(row: Row) -> str:
    """Digest of label and text: a decision about a row outlives the data set that it was made in."""
    return digest_json({"label": row.label, "text": row.text})


def row_ids(rows: Sequence[Row]) -> list[str]:
    """The name of every row, in order; raises DataError for a row that occurs twice."""
    names = [row_id(row) for row in rows]
    if len(set(names)) != len(names):
        twice = len(names) - len(set(names))
        raise DataError(
            f"{twice} training rows occur twice", hint="prepare the data again: it removes copies"
        )
    return names


def content_digest(names: Iterable[str]) -> str:
    """Digest over the names of all rows, whatever their order."""
    return digest_json(sorted(names))
