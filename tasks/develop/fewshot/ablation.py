"""What examples in the prompt bring: the same validation rows with none, and with each set.

report = ablate(loaded, template, examples, validation, settings, base_digest=base.digest)
report.finding          # "11 examples bring +9.1 points [+1.2, +18.3] …"
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.config.examples import ExampleSettings
from infra.errors import DataError
from infra.models.load import LoadedModel
from infra.prompts import PromptTemplate
from infra.statistics.intervals import wilson
from infra.statistics.paired import discordance, mcnemar_exact, paired_difference
from tasks.develop.fewshot.prompt import with_examples
from tasks.develop.fewshot.sample import balanced
from tasks.records import Row
from tasks.records.examples import AblationRow, ExampleAblation, ExampleSet

BATCH_TOKENS = 256
"""The prefix is copied for every row of a batch: with 700 shared tokens large batches cost twice the time."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class _Answered:
    """One set's answers, right or wrong by row."""

    size: int
    right: tuple[bool, ...]
    prompt: str
    prompt_tokens: int
    cpu_seconds: float


def ablate(
    loaded: LoadedModel,
    template: PromptTemplate,
    examples: ExampleSet,
    validation: Sequence[Row],
    settings: ExampleSettings,
    *,
    base_digest: str,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ExampleAblation:
    """Scores `settings.ablation_rows` validation rows with each size of `settings.ablation_per_label`.

    Never give it test rows: which set is served is decided by this. `on_progress(done, total)` counts
    sets. Raises DataError for no rows, or when the prompt with its examples does not fit the model.
    """
    rows = balanced(validation, settings.ablation_rows)
    if not rows:
        raise DataError("examples: no validation rows to compare sets on")
    sizes = _sizes(settings, examples)
    answered = []
    for size in sizes:
        answered.append(_answer(loaded, template, examples, size, rows))
        on_progress(len(answered), len(sizes))
    table = tuple(_row(each, answered[0], len(examples.labels)) for each in answered)
    return ExampleAblation(
        base=base_digest,
        examples=examples.digest,
        rows=len(rows),
        confidence=_CONFIDENCE,
        table=table,
        finding=_finding(table),
    )


def _sizes(settings: ExampleSettings, examples: ExampleSet) -> list[int]:
    """Numbers of examples, none first; the served number is always among them."""
    wanted = {0, settings.count, *(each * len(examples.labels) for each in settings.ablation_per_label)}
    return sorted({min(size, len(examples.examples)) for size in wanted})


def _answer(
    loaded: LoadedModel, template: PromptTemplate, examples: ExampleSet, size: int, rows: Sequence[Row]
) -> _Answered:
    from infra.models.chat import common_prefix_length, encode_chat
    from infra.models.scoring import LabelScorer

    prompt = with_examples(template, examples.first(size))
    start = time.process_time()
    # A text is cut to make room, which would blame the examples: the limit grows with them.
    scorer = LabelScorer(
        loaded, prompt.messages, prompt.labels, max_tokens=1024 + 64 * size, batch_tokens=BATCH_TOKENS
    )
    scores = scorer.score([row.text for row in rows])
    seconds = time.process_time() - start
    shared = common_prefix_length(
        [encode_chat(loaded.tokenizer, prompt.messages(text)) for text in ("a", "Zz")]
    )
    right = tuple(score.label == row.label for score, row in zip(scores, rows, strict=True))
    return _Answered(size, right, prompt.digest, shared, max(seconds, 1e-9))


def _row(answered: _Answered, without: _Answered, labels: int) -> AblationRow:
    share = wilson(sum(answered.right), len(answered.right), _CONFIDENCE)
    table = discordance(answered.right, without.right)
    gain = paired_difference(table, confidence=_CONFIDENCE)
    return AblationRow(
        name=_name(answered.size, labels),
        examples=answered.size,
        prompt=answered.prompt,
        prompt_tokens=answered.prompt_tokens,
        correct=sum(answered.right),
        accuracy=share.value,
        lower=share.lower,
        upper=share.upper,
        gain=gain.value,
        gain_lower=gain.lower,
        gain_upper=gain.upper,
        p_value=mcnemar_exact(table),
        rows_per_cpu_s=len(answered.right) / answered.cpu_seconds,
    )


def _name(size: int, labels: int) -> str:
    if size == 0:
        return "none"
    return f"{size // labels} of each label" if size % labels == 0 else f"the first {size}"


def _finding(table: Sequence[AblationRow]) -> str:
    # Both, and at a level that the number of sets divides: of several sets one looks good by luck.
    level = (1 - _CONFIDENCE) / max(1, len(table) - 1)
    proven = [row for row in table if row.gain_lower > 0 and row.p_value < level]
    if not proven:
        best = max(table, key=lambda row: row.gain)
        return (
            f"no set is proven to bring anything: the best, {best.name}, gains {100 * best.gain:+.1f} points"
            f" [{100 * best.gain_lower:+.1f}, {100 * best.gain_upper:+.1f}]"
        )
    row = proven[0]
    return (
        f"{row.examples} examples bring {100 * row.gain:+.1f} points"
        f" [{100 * row.gain_lower:+.1f}, {100 * row.gain_upper:+.1f}] at {row.prompt_tokens} prompt tokens"
    )
