"""Whether an answer depends on what it was asked beside: the same rows again, backwards and in other batches.

changed = order_effect(scorer_a, scorer_b, texts)        # how many of len(texts) answers differ

In bf16 a score depends on its batch; a bug that lets one row see another shows here as a large share.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.errors import DataError
from tasks.validate.benchmark import Scorer

if TYPE_CHECKING:
    from infra.workspace import Workspace
    from tasks.records import Candidate

_BATCH_TOKENS = (2048, 384)


def order_effect(first: Scorer, second: Scorer, texts: Sequence[str]) -> int:
    """Answers that `second`, asked backwards, gives differently; raises DataError for an answer missing."""
    forward = [answer.label for answer in first.score(texts)]
    backward = [answer.label for answer in second.score(texts[::-1])][::-1]
    if not len(forward) == len(backward) == len(texts) > 0:
        raise DataError(f"got {len(forward)} and {len(backward)} answers to {len(texts)} texts")
    return sum(one != other for one, other in zip(forward, backward, strict=True))


def evenly(texts: Sequence[str], most: int) -> list[str]:
    """At most so many, from everywhere; the same ones every time."""
    count = min(len(texts), most)
    return [texts[number * len(texts) // count] for number in range(count)]


def measure_order_effect(
    workspace: "Workspace", candidate: "Candidate", texts: Sequence[str]
) -> tuple[int, int]:
    """Answers that changed, and rows asked, with the model and prompt of the candidate on one thread."""
    from infra.models.load import load_tuned
    from infra.models.scoring import LabelScorer
    from infra.models.threads import use_threads
    from infra.prompts import PromptTemplate

    store, template = workspace.store, PromptTemplate.from_definition(candidate.prompt.definition)
    chosen = evenly(texts, workspace.project.validation.order_rows)
    loaded = load_tuned(store.open_tree(candidate.base.digest), store.open_tree(candidate.adapter.digest))
    first, second = (
        LabelScorer(loaded, template.messages, template.labels, batch_tokens=tokens)
        for tokens in _BATCH_TOKENS
    )
    with use_threads(1):
        return order_effect(first, second, chosen), len(chosen)
