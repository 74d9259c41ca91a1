"""What a model said to each frozen item, as canonical JSON lines in the store.

data = dump_items(results)        # bytes, the same for the same results
load_items(data)                  # the records again, or DataError naming the line
"""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, ValidationError, model_validator

from infra.digest import canonical_json, digest_json
from infra.errors import DataError
from tasks.records import Row
from tasks.records.record import Record


class ItemResult(Record):
    """One item's answer; `log_probs` by label where the scorer gives them."""

    id: str = Field(min_length=1, description="identity of the frozen item: position and content")
    label: str = Field(min_length=1)
    predicted: str
    correct: bool
    log_probs: dict[str, float] | None = None

    @model_validator(mode="after")
    def _correct_follows(self) -> Self:
        if self.correct != (self.predicted == self.label):
            raise ValueError(f"{self.id}: correct={self.correct} does not follow from the labels")
        return self


def item_id(position: int, row: Row) -> str:
    """Position and content of a row, so that another order or another text is another item."""
    return f"{position}-{digest_json(row.model_dump(mode='json'))[7:23]}"


def dump_items(results: Sequence[ItemResult]) -> bytes:
    """Canonical JSON lines; raises DataError for none."""
    if not results:
        raise DataError("no item results", hint="an empty benchmark measures nothing")
    return b"".join(canonical_json(item.model_dump(exclude_none=True)) + b"\n" for item in results)


def load_items(data: bytes) -> tuple[ItemResult, ...]:
    """The records of `dump_items`; raises DataError naming the line that is malformed, or for none."""
    results = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            results.append(ItemResult.model_validate_json(line))
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            raise DataError(f"item results, line {number}: {reason}") from error
    if not results or not data.endswith(b"\n"):
        raise DataError("item results are empty or cut off", hint="validate the candidate again")
    return tuple(results)
