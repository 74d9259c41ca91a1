"""The flat engine is used where it is proved right; elsewhere the reference trains, and says why."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.models.load import LoadedModel, load_base, load_tuned
from tasks.finetune.training.rows import EncodedRows, TrainingExample, encode_rows
from tasks.finetune.training.settings import TrainingSettings
from tests.integration.finetune.samples import LABELS, TEXTS, render

SETTINGS = TrainingSettings(epochs=2, batch_size=3, lora_r=4, lora_alpha=8, trained_layers=2, threads=1)
EXAMPLES = [TrainingExample(text, LABELS[n % len(LABELS)]) for n, text in enumerate(TEXTS)]


def ready(base: Path, dtype: str = "float32") -> tuple[LoadedModel, EncodedRows]:
    loaded = load_base(base, dtype)
    return loaded, encode_rows(loaded.tokenizer, render, EXAMPLES, 400)


def train(base: Path, output: Path, settings: TrainingSettings = SETTINGS, **options: Any) -> Any:
    from tasks.finetune.training.loop import train

    return train(
        options.pop("loaded", None) or load_base(base, "float32"),
        EXAMPLES,
        render,
        settings,
        base_digest="sha256:" + "0" * 64,
        checkpoint_dir=output / "checkpoint",
        output_dir=output / "adapter",
        **options,
    )


def test_both_engines_agree_on_the_whole_model(base: Path) -> None:
    from tasks.finetune.training.flat import FlatEngine
    from tasks.finetune.training.reference import ReferenceEngine
    from tasks.finetune.training.selfcheck import compare_engines

    settings = replace(SETTINGS, trained_layers=None)
    (ours, rows), (theirs, _) = ready(base), ready(base)
    flat, reference = FlatEngine(ours.model, rows, settings), ReferenceEngine(theirs.model, rows, settings)
    comparison = compare_engines(flat, reference, range(len(TEXTS)))
    assert comparison.refusal == ""
    assert 0 < comparison.gradient < 1e-5


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("gemma3_text", {}, "type gemma3_text is none of"),
        ("mistral", {"sliding_window": 16}, "sliding window"),
        ("llama", {"hidden_act": "gelu"}, "its activation is gelu"),
        # Nothing in the list of supported types tells of these: the self-check does.
        ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}}, ""),
        ("llama", {"attention_bias": True, "mlp_bias": True}, ""),
    ],
)
def test_choice(make_base: Callable[..., Path], kind: str, changes: dict[str, Any], reason: str) -> None:
    from tasks.finetune.training.engine import choose_engine

    engine, why = choose_engine(*ready(make_base(kind, **changes)), SETTINGS)
    assert engine.name == ("reference" if reason else "flat")
    assert reason in why


def test_a_decoder_that_computes_something_else_is_not_used(
    base: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tasks.finetune.training import decoder

    right = decoder.swiglu
    monkeypatch.setattr(decoder, "swiglu", lambda both: right(both) * 1.001)
    result = train(base, tmp_path)
    assert result.engine == "reference"
    assert result.fallback.startswith("self-check: loss differs by")


def test_a_decoder_that_fails_is_not_used(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.finetune.training import decoder
    from tasks.finetune.training.engine import choose_engine

    def fail(_: Any) -> Any:
        raise RuntimeError("no such shape")

    monkeypatch.setattr(decoder, "swiglu", fail)
    engine, why = choose_engine(*ready(base), SETTINGS)
    assert (engine.name, why) == ("reference", "its self-check failed: RuntimeError: no such shape")


def test_the_reference_trains_other_architectures(make_base: Callable[..., Path], tmp_path: Path) -> None:
    import torch

    base = make_base("gemma3_text")
    loaded = load_base(base, "float32")
    result = train(base, tmp_path, replace(SETTINGS, epochs=6, learning_rate=0.01), loaded=loaded)
    assert result.engine == "reference"
    assert sum(result.losses[-3:]) < 0.7 * sum(result.losses[:3])
    assert train(base, tmp_path, replace(SETTINGS, epochs=6, learning_rate=0.01)).steps == result.steps
    ids = torch.arange(3, 40)[None]
    with torch.inference_mode():
        trained = loaded.model(input_ids=ids).logits
        tuned = load_tuned(base, result.adapter_dir, "float32").model(input_ids=ids).logits
    torch.testing.assert_close(tuned, trained, rtol=1e-3, atol=1e-3)


def test_engines_train_the_same_adapter(base: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from tasks.finetune.training import engine

    flat = train(base, tmp_path / "flat")
    monkeypatch.setattr(engine, "flat_refusal", lambda *_: "asked for")
    reference = train(base, tmp_path / "reference")
    assert (flat.engine, reference.engine) == ("flat", "reference")
    ours, theirs = (
        load_file(result.adapter_dir / "adapter_model.safetensors") for result in (flat, reference)
    )
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert float((ours[name] - theirs[name]).abs().max()) < 1e-3
