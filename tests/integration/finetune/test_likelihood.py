"""Answers as one tree behind a prompt against one plain pass for each; damaged models are refused."""

from pathlib import Path

import pytest

from infra.errors import DataError
from infra.models.chat import encode_answer, encode_chat
from infra.models.likelihood import likelihoods, next_token_scores
from infra.models.load import LoadedModel, load_base
from infra.models.scoring import LabelScorer
from tests.integration.finetune.samples import TEXTS, render
from tests.integration.finetune.tiny import write_base

ANSWERS = ["defense evasion", "defense", "defense", "impact", "initial access", "x"]


@pytest.fixture(scope="module", params=["llama", "qwen2", "gemma3_text"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """Gemma's window is shorter than the rows: trees would be masked wrongly there."""
    more = {"sliding_window": 16} if request.param == "gemma3_text" else {}
    return load_base(write_base(tmp_path_factory.mktemp(request.param), request.param, **more), "float32")


def naive(loaded: LoadedModel, prompt: list[int], answer: list[int]) -> float:
    import torch

    with torch.inference_mode():
        logits = loaded.model(input_ids=torch.tensor([prompt + answer])).logits[0].double()
    log_probs = torch.log_softmax(logits, -1)
    return sum(float(log_probs[len(prompt) - 1 + at, token]) for at, token in enumerate(answer))


@pytest.mark.parametrize("batch_tokens", [1, 300, 8192])
def test_trees_give_what_plain_passes_give(loaded: LoadedModel, batch_tokens: int) -> None:
    prompts = [encode_chat(loaded.tokenizer, render(text)) for text in TEXTS]
    encoded = [encode_answer(loaded.tokenizer, answer) for answer in ANSWERS]
    # Other answers, and other numbers of them, for each prompt.
    answers = [encoded[at % 3 :] for at in range(len(prompts))]
    found = likelihoods(loaded, prompts, answers, batch_tokens=batch_tokens)
    for prompt, each, values in zip(prompts, answers, found, strict=True):
        assert values == pytest.approx([naive(loaded, prompt, answer) for answer in each], abs=5e-4)


def test_next_tokens(loaded: LoadedModel) -> None:
    import torch

    prompts = [encode_chat(loaded.tokenizer, render(text)) for text in TEXTS]
    found = next_token_scores(loaded, prompts, [5, 9, 11], batch_tokens=64)
    for prompt, values in zip(prompts, found, strict=True):
        with torch.inference_mode():
            logits = loaded.model(input_ids=torch.tensor([prompt])).logits[0, -1]
        assert values == pytest.approx(logits[[5, 9, 11]].tolist(), abs=5e-4)


def test_nothing_follows_nothing(loaded: LoadedModel) -> None:
    assert likelihoods(loaded, [], []) == []
    with pytest.raises(DataError, match="no token"):
        likelihoods(loaded, [[5]], [[]])
    with pytest.raises(DataError, match="no token"):
        likelihoods(loaded, [[5]], [[[7], []]])
    with pytest.raises(DataError, match="a prompt has no token"):
        likelihoods(loaded, [[5], []], [[[7]], [[7]]])


def test_first_token_is_refused_where_it_decides_nothing(loaded: LoadedModel) -> None:
    with pytest.raises(DataError, match="'defense evasion' and 'defense' begin with the same token"):
        LabelScorer(loaded, render, ["defense evasion", "defense", "impact"], method="first_token")
    scorer = LabelScorer(loaded, render, ["impact", "collection"], method="full_label")
    assert not scorer.first_token_decides


@pytest.mark.parametrize("method", ["first_token", "full_label"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(base: Path, method: str, value: float) -> None:
    """A damaged weight must not end as an answer: argmax over NaN names the first label."""
    import torch

    broken = load_base(base, "float32")
    with torch.no_grad():
        broken.model.model.norm.weight[3] = value
    labels = ["impact", "collection"]
    with pytest.raises(DataError, match="not finite"):
        LabelScorer(broken, render, labels, method=method).score(TEXTS)  # type: ignore[arg-type]
