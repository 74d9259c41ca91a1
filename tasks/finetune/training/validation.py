"""The validation rows scored by the model as it is, with the scorer that validates and serves.

evaluate = validator(loaded, prompt.messages, examples, labels)
evaluation = evaluate(step=40)
"""

from collections.abc import Callable, Sequence

from infra.errors import DataError
from infra.models.chat import Render
from infra.models.load import LoadedModel
from infra.models.scoring import LabelScorer
from tasks.finetune.training.rows import TrainingExample
from tasks.finetune.training.stopping import Evaluation

# From the number of the step that was just done to what the model is worth now.
Validator = Callable[[int], Evaluation]


def validator(
    loaded: LoadedModel, render: Render, examples: Sequence[TrainingExample], labels: Sequence[str]
) -> Validator:
    """Raises DataError when a row's label is not among the labels."""
    unknown = sorted({example.label for example in examples} - set(labels))
    if unknown:
        raise DataError(
            f"validation rows carry labels that training does not know: {', '.join(unknown)}",
            "give all labels of the data set",
        )
    scorer = LabelScorer(loaded, render, labels)
    truth = [scorer.labels.index(example.label) for example in examples]

    def evaluate(step: int) -> Evaluation:
        scores = scorer.score([example.text for example in examples])
        right = sum(score.label == example.label for score, example in zip(scores, examples, strict=True))
        loss = -sum(score.log_probs[at] for score, at in zip(scores, truth, strict=True))
        return Evaluation(step, right / len(examples), loss / len(examples))

    return evaluate
