"""What the served unit answers: guard in, model, guard out; a stopped request is an answer of its own.

served = ServedAnswers(guard, scorer)
served(["Emotet sends mail."])            # ["execution"], or ["stopped by ignore-instructions"]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.errors import DataError
from infra.guard import GuardPolicy

STOPPED = "stopped by "


class Answer(Protocol):
    """What a scorer says about one text."""

    @property
    def label(self) -> str:
        """The label with the highest probability."""


class Scorer(Protocol):
    """Anything that labels texts, such as `infra.models.scoring.LabelScorer`."""

    def score(self, texts: Sequence[str]) -> Sequence[Answer]:
        """One answer for every text, in order."""


@dataclass(frozen=True)
class ServedAnswers:
    """Labels as the gateway would let them out; the same text is asked once."""

    guard: GuardPolicy
    scorer: Scorer

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """One answer for every text, in order; raises DataError when the scorer answers too few or many."""
        verdicts = {text: self.guard.check_input(text) for text in texts}
        read = {text: verdict.text_after_redaction for text, verdict in verdicts.items() if verdict.allowed}
        distinct = list(dict.fromkeys(read.values()))
        answers = self.scorer.score(distinct) if distinct else []
        if len(answers) != len(distinct):
            raise DataError(f"scorer gave {len(answers)} answers, expected {len(distinct)}")
        label = {text: answer.label for text, answer in zip(distinct, answers, strict=True)}
        let_out = {each: self.guard.check_output(each) for each in set(label.values())}
        given = []
        for text in texts:
            if not verdicts[text].allowed:
                given.append(f"{STOPPED}{verdicts[text].rule}")
            elif not (out := let_out[label[read[text]]]).allowed:
                given.append(f"{STOPPED}{out.rule}")
            else:
                given.append(label[read[text]])
        return given
