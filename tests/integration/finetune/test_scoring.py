"""The scorer with its shared prefix against one plain forward pass per text and label."""

from pathlib import Path

import pytest

from infra.errors import DataError
from infra.models.chat import encode_answer, encode_chat
from infra.models.load import LoadedModel, load_base
from infra.models.scoring import LabelScorer
from tests.integration.finetune.samples import LABELS, TEXTS, render

COLLIDING = ["defense evasion", "defense", "impact", "initial access"]


@pytest.fixture(scope="module")
def loaded(base: Path) -> LoadedModel:
    return load_base(base, "float32")


def naive(loaded: LoadedModel, text: str, labels: list[str], tokens: int | None) -> list[float]:
    """Log of each label's share, from the likelihood of its first `tokens` tokens."""
    import torch

    totals = []
    for label in labels:
        prompt, answer = encode_chat(loaded.tokenizer, render(text)), encode_answer(loaded.tokenizer, label)
        with torch.inference_mode():
            logits = loaded.model(input_ids=torch.tensor([prompt + answer])).logits[0].double()
        log_probs = torch.log_softmax(logits, -1)
        steps = range(len(answer) if tokens is None else tokens)
        totals.append(sum(float(log_probs[len(prompt) - 1 + n, answer[n]]) for n in steps))
    return list(torch.log_softmax(torch.tensor(totals, dtype=torch.float64), -1).tolist())


@pytest.mark.parametrize("batch_tokens", [1, 64, 4096])
def test_distinct_first_tokens(loaded: LoadedModel, batch_tokens: int) -> None:
    labels = ["impact", "collection", "discovery", "exfiltration"]
    scorer = LabelScorer(loaded, render, labels, batch_tokens=batch_tokens)
    assert scorer.first_token_decides
    check(scorer, loaded, labels, tokens=1)


@pytest.mark.parametrize("batch_tokens", [1, 4096])
def test_colliding_first_tokens_are_told_apart_by_the_whole_answer(
    loaded: LoadedModel, batch_tokens: int
) -> None:
    scorer = LabelScorer(loaded, render, COLLIDING, batch_tokens=batch_tokens)
    assert not scorer.first_token_decides
    check(scorer, loaded, COLLIDING, tokens=None)


def check(scorer: LabelScorer, loaded: LoadedModel, labels: list[str], tokens: int | None) -> None:
    progress: list[tuple[int, int]] = []
    scores = scorer.score(TEXTS, on_progress=lambda done, total: progress.append((done, total)))
    for text, score in zip(TEXTS, scores, strict=True):
        expected = naive(loaded, text, labels, tokens)
        assert score.log_probs == pytest.approx(expected, abs=2e-4)
        assert score.label == labels[max(range(len(labels)), key=expected.__getitem__)]
    assert progress[-1] == (len(TEXTS), len(TEXTS))


def test_one_text_no_text_and_equal_texts(loaded: LoadedModel) -> None:
    scorer = LabelScorer(loaded, render, LABELS)
    assert scorer.score([]) == []
    (single,) = scorer.score(TEXTS[:1])
    twice = scorer.score([TEXTS[0], TEXTS[0]])
    assert twice[0].log_probs == pytest.approx(single.log_probs, abs=1e-5)
    assert twice[0].label == twice[1].label == single.label


@pytest.mark.parametrize("labels", [[], ["impact", "impact"]])
def test_refuses_label_sets_that_cannot_be_told_apart(loaded: LoadedModel, labels: list[str]) -> None:
    with pytest.raises(DataError, match="labels"):
        LabelScorer(loaded, render, labels)
