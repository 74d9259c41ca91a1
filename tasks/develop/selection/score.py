"""What a base shows before any training: accuracy with and without examples, latency, memory.

score = score_base(path, template, examples, rows, project.base)
"""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.config.base import BaseSettings
from infra.models.peak_memory import peak_memory
from infra.prompts import PromptTemplate
from infra.statistics.intervals import wilson
from tasks.develop.fewshot.ablation import BATCH_TOKENS
from tasks.develop.fewshot.prompt import with_examples
from tasks.records import Row
from tasks.records.examples import ShownExample
from tasks.records.selection import BaseScore, ShotScore

if TYPE_CHECKING:
    from infra.models.load import LoadedModel
    from infra.models.scoring import LabelScorer


def score_base(
    path: Path,
    template: PromptTemplate,
    examples: Sequence[ShownExample],
    rows: Sequence[Row],
    settings: BaseSettings,
) -> BaseScore:
    """Loads a checked base and answers `rows` zero-shot and, when there are examples, few-shot.

    Raises DataError when it cannot be loaded as a chat model or the prompt does not fit.
    """
    import torch

    from infra.models.load import load_base

    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        with peak_memory() as peak:
            loaded = load_base(path)
            zero = _shots(loaded, template, (), rows)
            times = _latencies_ms(
                _scorer(loaded, template), [row.text for row in rows[: settings.timed_texts]]
            )
            few = _shots(loaded, template, examples, rows) if examples else None
    finally:
        torch.set_num_threads(before)
    return BaseScore(
        zero_shot=zero,
        few_shot=few,
        latency_p50_ms=nearest_rank(times, 0.50),
        latency_p95_ms=nearest_rank(times, 0.95),
        timed_texts=len(times),
        peak_memory_bytes=peak.bytes,
    )


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all values does not exceed; of few values the largest."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _scorer(loaded: "LoadedModel", prompt: PromptTemplate) -> "LabelScorer":
    from infra.models.scoring import LabelScorer

    most = 1024 + 64 * len(prompt.examples)  # room for the examples, so that the text itself is not cut
    return LabelScorer(loaded, prompt.messages, prompt.labels, max_tokens=most, batch_tokens=BATCH_TOKENS)


def _shots(
    loaded: "LoadedModel", template: PromptTemplate, examples: Sequence[ShownExample], rows: Sequence[Row]
) -> ShotScore:
    prompt = with_examples(template, examples)
    start = time.process_time()
    scores = _scorer(loaded, prompt).score([row.text for row in rows])
    seconds = max(time.process_time() - start, 1e-9)
    correct = sum(score.label == row.label for score, row in zip(scores, rows, strict=True))
    share = wilson(correct, len(rows))
    return ShotScore(
        shots=len(examples),
        prompt=prompt.digest,
        correct=correct,
        rows=len(rows),
        accuracy=share.value,
        lower=share.lower,
        upper=share.upper,
        rows_per_cpu_s=len(rows) / seconds,
    )


def _latencies_ms(scorer: "LabelScorer", texts: Sequence[str]) -> list[float]:
    times = []
    for text in texts:
        start = time.perf_counter()
        scorer.score([text])
        times.append(1000 * (time.perf_counter() - start))
    return times
