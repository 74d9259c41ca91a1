"""Great Expectations, kept to what we need: column rules in, counts out, no values, no output, no files.

evaluate_rules(pa.table({"n_chars": [12]}), [ColumnRule("n_chars", "between", low=1)])

Importing it costs about seven CPU seconds, so that happens inside `evaluate_rules`.
"""

import contextlib
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

_COUNTS_ONLY = {
    "result_format": "BASIC",
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
}


@dataclass(frozen=True)
class ColumnRule:
    """One expectation about one column."""

    column: str
    kind: Literal["not_null", "in_set", "between"]
    values: tuple[str | bool, ...] = ()
    low: int | None = None
    high: int | None = None
    blocking: bool = True
    """Whether one row against it stops the data; otherwise the share of rows is evidence for a gate."""
    words: str = ""
    """The rule as people say it; empty: made from the other fields."""

    @property
    def title(self) -> str:
        """The rule in words."""
        if self.words:
            return self.words
        if self.kind == "between":
            return f"{self.column} between {self.low} and {'any' if self.high is None else self.high}"
        if self.kind == "in_set":
            return f"{self.column} in {', '.join(map(str, self.values))}"
        return f"{self.column} not null"


@dataclass(frozen=True)
class Outcome:
    """What became of one rule, in counts."""

    rule: ColumnRule
    success: bool
    evaluated: int
    unexpected: int
    error: str = ""


def evaluate_rules(table: "pa.Table", rules: Sequence[ColumnRule]) -> list[Outcome]:
    """One outcome a rule; a rule that could not be evaluated is there with its error. No rows: none."""
    if not table.num_rows or not rules:
        return []
    with _quiet():
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        batch = (
            context.data_sources.add_pandas("prepared")
            .add_dataframe_asset("rows")
            .add_batch_definition_whole_dataframe("all")
        )
        suite = context.suites.add(
            gx.ExpectationSuite(
                "prepared", expectations=[_expectation(rule, number) for number, rule in enumerate(rules)]
            )
        )
        validation = context.validation_definitions.add(
            gx.ValidationDefinition(name="prepared", data=batch, suite=suite)
        )
        result = validation.run(
            batch_parameters={"dataframe": table.to_pandas()},
            result_format=_COUNTS_ONLY,
        )
    return [_outcome(rules, one) for one in result.results]


def _expectation(rule: ColumnRule, number: int) -> Any:
    from great_expectations.expectations.core.expect_column_values_to_be_between import (
        ExpectColumnValuesToBeBetween,
    )
    from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
        ExpectColumnValuesToBeInSet,
    )
    from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
        ExpectColumnValuesToNotBeNull,
    )

    common: dict[str, Any] = {"column": rule.column, "meta": {"rule": number}}
    if rule.kind == "not_null":
        return ExpectColumnValuesToNotBeNull(**common)
    if rule.kind == "in_set":
        return ExpectColumnValuesToBeInSet(value_set=list(rule.values), **common)
    return ExpectColumnValuesToBeBetween(min_value=rule.low, max_value=rule.high, **common)


def _outcome(rules: Sequence[ColumnRule], one: Any) -> Outcome:
    rule = rules[one.expectation_config.meta["rule"]]
    counts = one.result or {}
    total, missing = int(counts.get("element_count", 0)), int(counts.get("missing_count", 0) or 0)
    # Other expectations skip nulls: a column of nulls is "evaluated" on nothing and would succeed.
    evaluated = total if rule.kind == "not_null" else total - missing
    return Outcome(rule, bool(one.success), evaluated, int(counts.get("unexpected_count", 0)), _error(one))


def _error(one: Any) -> str:
    raised = one.exception_info or {}
    entries = [raised] if "raised_exception" in raised else list(raised.values())
    kinds = {
        _kind(entry) for entry in entries if isinstance(entry, Mapping) and entry.get("raised_exception")
    }
    return ", ".join(sorted(kinds))


def _kind(entry: Mapping[str, Any]) -> str:
    # The class of the exception and not its message, which may quote cells.
    lines = str(entry.get("exception_traceback") or "").strip().splitlines() or [""]
    found = re.match(r"[\w.]+", lines[-1])
    return found[0].rpartition(".")[2] if found else "exception"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, advice or deprecation notes of the library; its results are what we report."""
    library = logging.getLogger("great_expectations")
    level = library.level
    library.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # This module sets the level of its own logger, which tells of a temporary directory.
            from great_expectations.data_context.types import base

            base.logger.setLevel(logging.CRITICAL)
            yield
    finally:
        library.setLevel(level)
