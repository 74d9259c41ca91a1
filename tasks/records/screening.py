"""What the search for poisoned training rows found, and what people decided; holds no texts."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from tasks.records.record import Digest, Record


class SuspicionKind(StrEnum):
    """Why a training row is suspected."""

    FLIP = "label-flip"
    TRIGGER = "trigger"
    HIDDEN = "hidden-characters"
    INJECTION = "injection"
    FLOOD = "flood"


class Suspicion(Record):
    """One reason to look at one row."""

    row: Digest = Field(description="content digest of the row: label and text")
    kind: SuspicionKind
    score: float = Field(ge=0, le=1, description="strength within its kind; 1 is the strongest")
    held: bool = Field(description="true: strong, kept out of training until a person decides")
    remark: str = Field("", description="what a person looks for; never a part of the text")
    mark: Digest | None = Field(
        None, description="digest of the word sequence that tied the row to its label"
    )


class PlantedRecall(Record):
    """How many planted rows of one kind were found."""

    planted: int = Field(ge=1)
    found: int = Field(ge=0)

    @property
    def recall(self) -> float:
        """Share of planted rows that were found."""
        return self.found / self.planted


class SelfTest(Record):
    """What the same settings found in a copy of the same rows with poison planted in it."""

    seed: int
    kinds: dict[str, PlantedRecall] = Field(description="by kind of poison")
    false_rows: int = Field(ge=0, description="rows held back that nobody planted or held back before")
    clean_rows: int = Field(ge=1, description="rows that nobody touched")
    flips_listed: int = Field(ge=0, description="rows on the review list, planted or not")

    @property
    def trigger_recall(self) -> PlantedRecall:
        """All kinds of planted triggers together."""
        triggers = [each for kind, each in self.kinds.items() if kind != "flips"]
        return PlantedRecall(
            planted=sum(each.planted for each in triggers), found=sum(each.found for each in triggers)
        )


class ScreeningReport(Record):
    """Every suspected row of one training split, by content digest."""

    rows: int = Field(ge=1, description="rows that were screened")
    content: Digest = Field(description="digest over the sorted digests of all rows")
    settings: Digest
    guard: Digest
    suspicions: tuple[Suspicion, ...] = Field(description="sorted by row and kind")
    self_test: SelfTest | None = Field(
        None, description="absent: the screen was not tested on planted poison"
    )

    @property
    def held(self) -> dict[str, frozenset[SuspicionKind]]:
        """Rows kept out of training, with the kinds of strong suspicion."""
        found: dict[str, frozenset[SuspicionKind]] = {}
        for each in self.suspicions:
            if each.held:
                found[each.row] = found.get(each.row, frozenset()) | {each.kind}
        return found


class QuarantineDecision(Record):
    """What a person decided about one row; a release covers the kinds of suspicion known at that time."""

    row: Digest
    decision: Literal["release", "remove"]
    kinds: tuple[SuspicionKind, ...]
    actor: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    time: str
