"""All candidates in one table, those refused too, and the choice by a rule that is stated beforehand.

comparison = compare_bases(checks, template, examples.first(11), validation, project.base, store)
comparison.chosen, comparison.reason
"""

from collections.abc import Callable, Sequence

from infra.config.base import BaseSettings
from infra.errors import DataError
from infra.prompts import PromptTemplate
from infra.store import Store
from tasks.develop.fewshot.sample import balanced
from tasks.develop.selection.score import score_base
from tasks.records import Row
from tasks.records.examples import ShownExample
from tasks.records.selection import BaseCheck, BaseComparison, ComparedBase

RULES = {
    "preference": "the first accepted candidate in the configured order",
    "quality": "the accepted candidate with the highest lower bound of accuracy; ties by configured order",
}


def compare_bases(
    checks: Sequence[BaseCheck],
    template: PromptTemplate,
    examples: Sequence[ShownExample],
    validation: Sequence[Row],
    settings: BaseSettings,
    store: Store,
    *,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> BaseComparison:
    """Scores every accepted candidate on `settings.scored_rows` validation rows, never on test rows.

    One that cannot be scored is refused with the reason. `on_progress(done, total)` counts candidates.
    Raises DataError when there are no rows, or no candidate is left; IntegrityError for altered files.
    """
    rows = balanced(validation, settings.scored_rows)
    if not rows:
        raise DataError("base: no validation rows to compare candidates on")
    table = []
    for done, check in enumerate(checks, 1):
        table.append(_compared(check, template, examples, rows, settings, store))
        on_progress(done, len(checks))
    chosen = _choose(table, settings)
    return BaseComparison(
        rows=tuple(table),
        rule=RULES[settings.choose],
        chosen=chosen.check.name,
        reason=_reason(chosen, settings),
        scored_on=f"{len(rows)} validation rows, balanced over {len({row.label for row in rows})} labels",
    )


def _compared(
    check: BaseCheck,
    template: PromptTemplate,
    examples: Sequence[ShownExample],
    rows: Sequence[Row],
    settings: BaseSettings,
    store: Store,
) -> ComparedBase:
    if check.verdict != "accepted" or check.digest is None:
        return ComparedBase(check=check)
    try:
        score = score_base(store.open_tree(check.digest), template, examples, rows, settings)
    except (DataError, RuntimeError) as error:  # torch and safetensors report misfitting weights as such
        reasons = (*check.reasons, f"cannot be scored: {error}")
        return ComparedBase(check=check.model_copy(update={"verdict": "refused", "reasons": reasons}))
    return ComparedBase(check=check, score=score)


def _choose(table: Sequence[ComparedBase], settings: BaseSettings) -> ComparedBase:
    scored = [row for row in table if row.score is not None]
    if not scored:
        reasons = "; ".join(f"{row.check.name}: {row.check.reasons[-1]}" for row in table)
        raise DataError(f"no base model can be scored: {reasons}", hint="correct base.candidates")
    if settings.choose == "preference":
        return scored[0]
    return max(scored, key=lambda row: row.score.best_lower if row.score else 0.0)  # max keeps the first


def _reason(chosen: ComparedBase, settings: BaseSettings) -> str:
    if settings.choose == "preference" or chosen.score is None:
        return RULES["preference"]
    return f"its accuracy is at least {chosen.score.best_lower:.1%}, more than any other accepted one shows"
