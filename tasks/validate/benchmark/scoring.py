"""Labels of frozen items by any scorer, one result for each.

results = score_items(LabelScorer(loaded, template.messages, labels), rows)

Every call on the test split is a look at the hold-out: `hold_out` counts it in the ledger first.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from infra.errors import DataError
from tasks.records import Row
from tasks.validate.items import ItemResult, item_id


class Answer(Protocol):
    """What a scorer says about one text."""

    @property
    def label(self) -> str:
        """The label with the highest probability."""

    @property
    def log_probs(self) -> Sequence[float]:
        """Natural log-probability of each label, in the order of the scorer's labels."""


class Scorer(Protocol):
    """Anything that labels texts, such as `infra.models.scoring.LabelScorer`."""

    @property
    def labels(self) -> Sequence[str]:
        """The closed set of labels."""

    def score(self, texts: Sequence[str]) -> Sequence[Answer]:
        """One answer for every text, in order."""


def score_items(scorer: Scorer, rows: Sequence[Row]) -> tuple[ItemResult, ...]:
    """One result for every row; raises DataError for no rows, skipped rows, NaN."""
    if not rows:
        raise DataError("no rows to score", hint="an empty benchmark measures nothing")
    answers = scorer.score([row.text for row in rows])
    if len(answers) != len(rows):
        raise DataError(f"scorer gave {len(answers)} answers, expected {len(rows)}")
    for position, answer in enumerate(answers):
        if not all(map(math.isfinite, answer.log_probs)):
            raise DataError(
                f"item {position}: the scorer's log-probabilities are not finite numbers",
                hint="the model is damaged: train it again",
            )
    return tuple(
        ItemResult(
            id=item_id(position, row),
            label=row.label,
            predicted=answer.label,
            correct=answer.label == row.label,
            log_probs=dict(zip(scorer.labels, answer.log_probs, strict=True)),
        )
        for position, (row, answer) in enumerate(zip(rows, answers, strict=True))
    )
