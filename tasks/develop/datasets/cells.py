"""Cells of a source as string columns: which columns are wanted, what types they may have, where rows stand.

roles = wanted(data)                         # {"text": "body", "label": "class"}
Cells({"text": array, "label": array}, "rows.jsonl:", numbers).place(3)       # "rows.jsonl:4"
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.config.data import DataSettings
from infra.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Roles = Mapping[str, str]
"""The source's column for each role: text, label and, if configured, group, id, split, licence, source."""


@dataclass(frozen=True)
class Cells:
    """Some rows of a source: a string array for each role (nulls allowed), and where each row stands."""

    columns: "Mapping[str, pa.Array]"
    before: str
    """What precedes the number in a place: `rows.jsonl:` or `rows.parquet: row `."""
    numbers: Sequence[int]

    def place(self, index: int) -> str:
        """Where row `index` of these stands."""
        return f"{self.before}{self.numbers[index]}"


def wanted(data: DataSettings) -> Roles:
    """The configured columns by role."""
    columns = {
        "text": data.text_column,
        "label": data.label_column,
        "group": data.group_column,
        "id": data.id_column,
        "split": data.split_column,
        "licence": data.licence_column,
        "source": data.source_column,
    }
    return {role: column for role, column in columns.items() if column is not None}


def require_columns(place: str, roles: Roles, present: Iterable[str]) -> None:
    """Raises DataError naming the first configured column that is absent."""
    found = list(present)
    for role, column in roles.items():
        if column not in found:
            raise DataError(
                f"{place}: no column {column!r}, got {', '.join(map(repr, found)) or 'none'}",
                hint=f"set data.{role}_column to the name of your column",
            )


def cell_text(cell: Any, role: str, column: str, place: str) -> str | None:
    """A cell as text: whole numbers may name labels, groups and ids. Raises DataError for other types."""
    if cell is None or isinstance(cell, str):
        return cell
    if role != "text" and isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    raise DataError(f"{place}: column {column!r} holds {type(cell).__name__}, expected text")


def column_text(column: "pa.Array", role: str, name: str, place: str) -> "pa.Array":
    """An Arrow column as strings, by the rules of `cell_text`; raises DataError for other types."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    textual = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if textual or pa.types.is_null(kind) or (role != "text" and pa.types.is_integer(kind)):
        return column.cast(pa.string())
    raise DataError(f"{place}: column {name!r} holds {kind}, expected text")
