"""Which prompt is better: several on the same validation rows, paired, corrected for looking often.

rows = read_validation(store, dataset)
comparison = compare_prompts(contenders, rows, answer, base=base.digest)
comparison.winner               # None when the intervals do not separate

Every pair is compared by McNemar's exact test; Holm's method (Scand. J. Stat. 1979) holds the family-wise
error rate over all pairs, so that the leader may be picked by looking. Rows other than the validation split
are refused: a prompt that was chosen on the test split cannot be measured on it.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from infra.errors import DataError
from infra.prompts import PromptTemplate
from infra.statistics.intervals import wilson
from infra.statistics.paired import Discordance, discordance, mcnemar_exact, paired_difference
from tasks.records import DatasetVersion, Row, SplitName
from tasks.records.prompt import PromptComparison, PromptPair, PromptScore

if TYPE_CHECKING:
    from infra.store import Store

Answer = Callable[[PromptTemplate, Sequence[str]], Sequence[str]]
"""The label that the model gives to each text under a template."""


@dataclass(frozen=True)
class Contender:
    """A template with its examples, under a name for people."""

    name: str
    template: PromptTemplate
    tokens: int | None = None


@dataclass(frozen=True)
class SplitRows:
    """Rows of one split, by the digest of its content."""

    split: SplitName
    digest: str
    rows: tuple[Row, ...]


def read_validation(store: "Store", dataset: DatasetVersion) -> SplitRows:
    """The validation split from the store; raises IntegrityError when it was altered."""
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(store.get_bytes(dataset.splits["validation"])))
    known = [name for name in table.column_names if name in Row.model_fields]
    rows = [Row.model_validate(each) for each in table.select(known).to_pylist()]
    return SplitRows("validation", dataset.content["validation"], tuple(rows))


def compare_prompts(
    contenders: Sequence[Contender],
    data: SplitRows,
    answer: Answer,
    *,
    base: str,
    adapter: str | None = None,
    alpha: float = 0.05,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> PromptComparison:
    """Score every contender on the same rows and say whether one is better than all others.

    `on_progress(done, total)` counts contenders. Raises DataError for another split, fewer than two
    different contenders, no rows, or labels that differ.
    """
    _check(contenders, data)
    texts = [row.text for row in data.rows]
    correct: list[list[bool]] = []
    for done, contender in enumerate(contenders, start=1):
        given = answer(contender.template, texts)
        correct.append([label == row.label for label, row in zip(given, data.rows, strict=True)])
        on_progress(done, len(contenders))
    names = [contender.name for contender in contenders]
    pairs = judge_pairs(names, correct, alpha)
    winner, reason = find_winner(names, [sum(each) for each in correct], pairs)
    return PromptComparison(
        split="validation",
        rows=data.digest,
        n=len(texts),
        base=base,
        adapter=adapter,
        alpha=alpha,
        scores=tuple(
            _score(contender, right, alpha) for contender, right in zip(contenders, correct, strict=True)
        ),
        pairs=pairs,
        winner=winner,
        reason=reason,
    )


def judge_pairs(
    names: Sequence[str], correct: Sequence[Sequence[bool]], alpha: float
) -> tuple[PromptPair, ...]:
    """Every pair with its interval and corrected p; the interval has the confidence of its step."""
    tables = {
        (first, second): discordance(correct[first], correct[second])
        for first, second in combinations(range(len(names)), 2)
    }
    p_values = {pair: mcnemar_exact(table) for pair, table in tables.items()}
    order = sorted(p_values, key=lambda pair: (p_values[pair], pair))
    adjusted = holm([p_values[pair] for pair in order])
    step = {pair: at for at, pair in enumerate(order)}
    return tuple(
        _pair(names, pair, table, p_values[pair], adjusted[step[pair]], alpha, len(order) - step[pair])
        for pair, table in tables.items()
    )


def holm(ascending: Sequence[float]) -> list[float]:
    """Adjusted p values of ascending ones: reject those below alpha (Holm 1979)."""
    adjusted: list[float] = []
    for at, p in enumerate(ascending):
        scaled = min(1.0, p * (len(ascending) - at))
        adjusted.append(max(scaled, adjusted[-1] if adjusted else 0.0))
    return adjusted


def find_winner(
    names: Sequence[str], right: Sequence[int], pairs: Sequence[PromptPair]
) -> tuple[str | None, str]:
    """The contender that is separated from every other and above it, and why (not)."""
    leader = names[max(range(len(names)), key=lambda at: right[at])]
    of_leader = [pair for pair in pairs if leader in (pair.first, pair.second)]
    beaten = [
        pair for pair in of_leader if pair.separated and (pair.difference > 0) == (pair.first == leader)
    ]
    if len(beaten) == len(names) - 1:
        return leader, f"{leader} is better than every other, family-wise"
    level = [_other(pair, leader) for pair in of_leader if pair not in beaten]
    return None, f"no winner: {leader} leads, but is not told apart from {', '.join(level)}"


def _other(pair: PromptPair, name: str) -> str:
    return pair.second if pair.first == name else pair.first


def _pair(
    names: Sequence[str],
    pair: tuple[int, int],
    table: Discordance,
    p: float,
    adjusted: float,
    alpha: float,
    hypotheses: int,
) -> PromptPair:
    interval = paired_difference(table, confidence=1 - alpha / hypotheses)
    return PromptPair(
        first=names[pair[0]],
        second=names[pair[1]],
        difference=interval.value,
        lower=interval.lower,
        upper=interval.upper,
        confidence=interval.confidence,
        p=p,
        p_holm=adjusted,
        separated=adjusted < alpha and not interval.lower <= 0 <= interval.upper,
    )


def _score(contender: Contender, right: Sequence[bool], alpha: float) -> PromptScore:
    interval = wilson(sum(right), len(right), 1 - alpha)
    return PromptScore(
        name=contender.name,
        prompt=contender.template.digest,
        examples=len(contender.template.examples),
        accuracy=interval.value,
        lower=interval.lower,
        upper=interval.upper,
        prompt_tokens=contender.tokens,
    )


def _check(contenders: Sequence[Contender], data: SplitRows) -> None:
    if data.split != "validation":
        raise DataError(
            f"prompts are compared on the validation split, got {data.split}",
            hint="the test split is looked at once, by validate; train was learnt from",
        )
    if not data.rows:
        raise DataError("no validation rows to compare prompts on", hint="assay run develop")
    digests = {contender.template.digest for contender in contenders}
    if len(contenders) < 2 or len(digests) < len(contenders):
        raise DataError(
            f"got {len(contenders)} contenders, {len(digests)} different ones, expected two or more",
            hint="name prompt files or example sets that differ",
        )
    if len({contender.name for contender in contenders}) < len(contenders):
        raise DataError("two contenders have the same name", hint="name files apart")
    expected = {row.label for row in data.rows}
    for contender in contenders:
        labels = set(contender.template.labels)
        if labels != set(contenders[0].template.labels) or not expected <= labels:
            raise DataError(f"{contender.name}: its labels are not those of the rows and of the others")
