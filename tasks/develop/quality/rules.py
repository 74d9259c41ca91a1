"""What every prepared data set must meet, as rules about derived columns.

standard_rules(("a", "b"), max_characters=2000)     # all of them are evaluated, each on every row
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.develop.expectations import ColumnRule
from tasks.records.quality import SPLITS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def standard_rules(labels: Sequence[str], max_characters: int) -> tuple[ColumnRule, ...]:
    """The rules; one row against a blocking rule stops the data, the share against others is gated.

    Texts that differ in punctuation, shared phrases and what looks like personal data occur by chance too.
    """
    return (
        ColumnRule("label", "not_null", words="every row has a label"),
        ColumnRule("label", "in_set", values=tuple(labels), words=f"labels are of the {len(labels)} allowed"),
        ColumnRule("split", "in_set", values=SPLITS, words="rows are in train, validation or test"),
        _flag("text_null", False, "no text is empty"),
        ColumnRule(
            "n_chars",
            "between",
            low=1,
            high=max_characters,
            words=f"texts have 1 to {max_characters:,} characters",
        ),
        ColumnRule("n_words", "between", low=1, words="texts have at least one word"),
        _flag("hidden_unicode", False, "no text has hidden characters"),
        _flag("duplicate", False, "no text occurs twice"),
        _flag("leaked", False, "no evaluation text is a training text"),
        _flag("licence_present", True, "every row names its licence"),
        _flag("source_present", True, "every row names its source"),
        _flag("near_duplicate", False, "no two texts have the same words", blocking=False),
        _flag(
            "contaminated", False, "no evaluation text shares a run of words with training", blocking=False
        ),
        _flag("personal_data", False, "no text looks as if it held personal data", blocking=False),
    )


def rows_against(table: "pa.Table", rule: ColumnRule) -> "NDArray[np.bool_]":
    """A flag for every row that is against the rule, by other code than the library's.

    As there, only `not_null` is about nulls: the other rules skip them.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.column(rule.column)
    if rule.kind == "not_null":
        against = pc.is_null(column)
    elif rule.kind == "in_set":
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        allowed = pa.array(rule.values, plain.type)
        against = pc.and_(pc.is_valid(plain), pc.invert(pc.is_in(plain, allowed)))
    else:
        low = pc.less(column, 0 if rule.low is None else rule.low)
        high = pc.greater(column, rule.high) if rule.high is not None else pa.scalar(False)
        against = pc.fill_null(pc.or_(low, high), False)
    return np.asarray(against)


def _flag(column: str, value: bool, words: str, *, blocking: bool = True) -> ColumnRule:
    return ColumnRule(column, "in_set", values=(value,), blocking=blocking, words=words)
