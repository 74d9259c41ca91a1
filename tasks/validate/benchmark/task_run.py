"""Items in, results out: a task's questions put to a model in memory, whatever their kind.

results = run_task(task, items, loaded)
summarise(results).value              # mean score with its interval
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from infra.digest import canonical_json
from infra.errors import DataError
from infra.statistics.intervals import Interval, wilson
from infra.statistics.paired import paired_bootstrap
from tasks.records.record import Record
from tasks.validate.benchmark.task_data import Item
from tasks.validate.benchmark.task_file import Benchmark, Choice, Generation
from tasks.validate.benchmark.text_scores import SCORES, matches

if TYPE_CHECKING:
    from infra.models.load import LoadedModel

Progress = Callable[[int, int], None]


class TaskResult(Record):
    """One item's answer and how right it is."""

    id: str = Field(min_length=1)
    reference: str
    answer: str
    score: float = Field(ge=0, le=1, description="1 is right; between: token F1, ROUGE-L")
    log_likelihoods: tuple[float, ...] = Field(
        (), description="choice: natural logs in the order of the choices, as compared"
    )


def run_task(
    task: Benchmark,
    items: Sequence[Item],
    loaded: "LoadedModel",
    on_progress: Progress = lambda _done, _total: None,
) -> tuple[TaskResult, ...]:
    """One result an item, in order.

    Raises DataError for no items, choices whose first tokens do not tell them apart when the task asks for
    that method, prompts that the model cannot hold, and numbers that are not finite.
    """
    if not items:
        raise DataError("no items to score", "an empty benchmark measures nothing")
    if task.choice is not None:
        return _chosen(task, task.choice, items, loaded, on_progress)
    if task.generation is None:
        raise DataError(f"task {task.name}: neither choice nor generation")
    return _generated(task, task.generation, items, loaded, on_progress)


def summarise(results: Sequence[TaskResult], *, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Mean score: a Wilson interval of right and wrong, a BCa bootstrap of graded scores."""
    if not results:
        raise DataError("no results", "an empty benchmark measures nothing")
    scores = [result.score for result in results]
    if set(scores) <= {0.0, 1.0}:
        return wilson(int(sum(scores)), len(scores), confidence)
    return paired_bootstrap(scores, confidence=confidence, seed=seed)


def dump_results(results: Sequence[TaskResult]) -> bytes:
    """Canonical JSON lines, the same for the same results; raises DataError for none."""
    if not results:
        raise DataError("no results", "an empty benchmark measures nothing")
    return b"".join(canonical_json(result.model_dump(mode="json")) + b"\n" for result in results)


def check_same_questions(first: Sequence[TaskResult], second: Sequence[TaskResult]) -> None:
    """Raises DataError unless both answer the same, distinct items in one order."""
    ids = [result.id for result in first]
    if not ids or len(set(ids)) < len(ids) or ids != [result.id for result in second]:
        raise DataError(
            f"got {len(ids)} and {len(second)} results, expected the same distinct items in one order",
            "score both models on the same items",
        )


def _chosen(
    task: Benchmark,
    choice: Choice,
    items: Sequence[Item],
    loaded: "LoadedModel",
    on_progress: Progress,
) -> tuple[TaskResult, ...]:
    from infra.models.likelihood import likelihoods

    prompts = [_prompt_ids(task, item, loaded) for item in items]
    answers = [[_answer_ids(task, each, loaded) for each in item.choices] for item in items]
    if choice.method == "first_token":
        answers = [_first_tokens(item, each) for item, each in zip(items, answers, strict=True)]
    _check_length(items, prompts, [max(map(len, each)) for each in answers], loaded)
    results = []
    for item, values in zip(
        items, likelihoods(loaded, prompts, answers, on_progress=on_progress), strict=True
    ):
        compared = (
            [value / len(text) for value, text in zip(values, item.choices, strict=True)]
            if choice.per_character
            else values
        )
        results.append(_choice_result(item, compared))
    return tuple(results)


def _choice_result(item: Item, compared: Sequence[float]) -> TaskResult:
    if not all(map(math.isfinite, compared)):
        raise DataError(f"item {item.id}: log-likelihoods are not finite numbers: {list(compared)[:4]}")
    best = max(range(len(compared)), key=compared.__getitem__)
    return TaskResult(
        id=item.id,
        reference=item.reference,
        answer=item.choices[best],
        score=float(item.choices[best] == item.reference),
        log_likelihoods=tuple(compared),
    )


def _first_tokens(item: Item, answers: Sequence[list[int]]) -> list[list[int]]:
    from infra.models.scoring import first_token_clash

    if (clash := first_token_clash(item.choices, answers)) is not None:
        raise DataError(
            f"item {item.id}: choices {clash[0]!r} and {clash[1]!r} begin with the same token",
            "use method full_label: their first tokens do not tell them apart",
        )
    return [answer[:1] for answer in answers]


def _generated(
    task: Benchmark,
    generation: Generation,
    items: Sequence[Item],
    loaded: "LoadedModel",
    on_progress: Progress,
) -> tuple[TaskResult, ...]:
    from infra.models.generation import Generator

    generator = Generator(loaded, max_new_tokens=generation.max_new_tokens)
    prompts = [_prompt_ids(task, item, loaded) for item in items]
    answers = generator.continue_ids(prompts, on_progress)
    return tuple(
        TaskResult(
            id=item.id,
            reference=item.reference,
            answer=answer,
            score=_graded(generation, answer, item.reference),
        )
        for item, answer in zip(items, answers, strict=True)
    )


def _graded(generation: Generation, answer: str, reference: str) -> float:
    if generation.pattern is not None:
        return matches(answer, generation.pattern)
    return SCORES[generation.score](answer, reference)


def _prompt_ids(task: Benchmark, item: Item, loaded: "LoadedModel") -> list[int]:
    from infra.models.chat import encode_chat, raw_ids

    if task.system is None:
        return raw_ids(loaded.tokenizer, item.prompt)
    system = [{"role": "system", "content": task.system}] if task.system else []
    return encode_chat(loaded.tokenizer, [*system, {"role": "user", "content": item.prompt}])


def _answer_ids(task: Benchmark, choice: str, loaded: "LoadedModel") -> list[int]:
    """In a chat the answer with the end of its turn; after raw text the words alone, behind a space."""
    from infra.models.chat import encode_answer, text_ids

    if task.system is None:
        return text_ids(loaded.tokenizer, choice if task.prompt[-1:].isspace() else f" {choice}")
    return encode_answer(loaded.tokenizer, choice)


def _check_length(
    items: Sequence[Item], prompts: Sequence[Sequence[int]], more: Sequence[int], loaded: "LoadedModel"
) -> None:
    context = getattr(loaded.model.config, "max_position_embeddings", None)
    for item, prompt, longest in zip(items, prompts, more, strict=True):
        if context is not None and len(prompt) + longest > context:
            raise DataError(
                f"item {item.id} has {len(prompt) + longest} tokens, the model holds {context}",
                "set data.max_characters: a cut question is another question",
            )
