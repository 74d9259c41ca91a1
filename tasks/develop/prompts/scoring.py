"""The model's answers to a template, for comparing prompts.

answer = label_answers(load_base(store.open_tree(base.digest)))
answer(template, ["The actor encrypted the hosts."])     # ["impact"]
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.prompts import PromptTemplate
from tasks.develop.prompts.comparison import Answer

if TYPE_CHECKING:
    from infra.models.load import LoadedModel

# A longer text is cut to make room for the prompt, which would blame its examples: the limit grows with them.
_MOST_TOKENS, _TOKENS_AN_EXAMPLE = 1024, 64


def label_answers(loaded: "LoadedModel") -> Answer:
    """The likeliest label of each text, as validation and the model server choose it."""
    from infra.models.scoring import LabelScorer

    def answer(template: PromptTemplate, texts: Sequence[str]) -> list[str]:
        most = _MOST_TOKENS + _TOKENS_AN_EXAMPLE * len(template.examples)
        scorer = LabelScorer(loaded, template.messages, template.labels, max_tokens=most)
        return [score.label for score in scorer.score(texts)]

    return answer
