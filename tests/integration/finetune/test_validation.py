"""Validation while training: what is kept, when it stops, rows that change from epoch to epoch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.errors import DataError, Diverged, OutOfMemory
from infra.models.load import load_base, load_tuned
from tasks.finetune.training.rows import TrainingExample
from tasks.finetune.training.settings import TrainingSettings
from tests.integration.finetune.samples import LABELS, TEXTS, render
from tests.integration.finetune.test_engines import EXAMPLES

SETTINGS = TrainingSettings(
    epochs=6,
    batch_size=3,
    lora_r=4,
    trained_layers=2,
    learning_rate=0.05,
    metric="loss",
    keep="best",
    threads=1,
)
# Labels turned round: what is learnt from the training rows makes these worse.
CONTRARY = [TrainingExample(text, LABELS[(n + 1) % len(LABELS)]) for n, text in enumerate(TEXTS)]


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


def test_stops_early_and_keeps_the_best(base: Path, tmp_path: Path) -> None:
    from tasks.finetune.training.validation import validator

    told: list[Any] = []
    loaded = load_base(base, "float32")
    result = train(
        base, tmp_path, validation=CONTRARY, labels=LABELS, on_validation=told.append, loaded=loaded
    )
    assert result.stopped_early
    assert result.steps < 18
    assert tuple(told) == result.validations
    best = min(result.validations, key=lambda evaluation: evaluation.loss)
    assert result.best_step == best.step < result.steps
    exported = load_tuned(base, result.adapter_dir, "float32")
    for model in (exported, loaded):
        assert validator(model, render, CONTRARY, LABELS)(1).loss == pytest.approx(best.loss, abs=1e-3)


def test_keeps_the_last_where_asked(base: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, keep="last", patience=None)
    result = train(base, tmp_path, settings, validation=CONTRARY, labels=LABELS)
    assert (result.best_step, result.stopped_early, result.steps) == (None, False, 18)
    assert train(base, tmp_path / "plain", settings).adapter_digest == result.adapter_digest


def test_validates_every_so_many_steps_and_at_the_end(base: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=2, validate_every=4, patience=None)
    result = train(base, tmp_path, settings, validation=CONTRARY, labels=LABELS)
    assert [evaluation.step for evaluation in result.validations] == [4, 6]


def test_refuses_validation_rows_of_an_unknown_label(base: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="labels that training does not know: defense evasion, impact"):
        train(base, tmp_path, validation=CONTRARY, labels=["discovery"])


def test_epochs_with_other_rows(base: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def rows(epoch: int) -> list[TrainingExample]:
        seen.append(epoch)
        return [replace(row, text=f"{row.text} {epoch}") if n % 2 else row for n, row in enumerate(EXAMPLES)]

    settings = replace(SETTINGS, epochs=3)
    changing = train(base, tmp_path / "1", settings, epoch_examples=rows)
    assert seen == [1, 2, 3]
    assert changing.rows_seen == 3 * len(EXAMPLES)
    same = train(base, tmp_path / "2", settings, epoch_examples=lambda _: EXAMPLES)
    assert same.adapter_digest == train(base, tmp_path / "3", settings).adapter_digest
    assert same.adapter_digest != changing.adapter_digest


def test_refuses_epochs_of_other_length(base: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="epoch 2 has 6 rows, the first has 7"):
        train(base, tmp_path, epoch_examples=lambda epoch: EXAMPLES[: 8 - epoch])


def test_states_of_changing_rows_within_little_memory(base: Path) -> None:
    """Whatever room there is, a row's states are the same bits in every epoch."""
    import torch

    from tasks.finetune.training.decoder import Decoder
    from tasks.finetune.training.rows import encode_epochs
    from tasks.finetune.training.states import FrozenStates

    loaded = load_base(base)
    other = [replace(row, text=row.text + " again") for row in EXAMPLES]
    epochs = [EXAMPLES, [*other[:3], *EXAMPLES[3:]], EXAMPLES]
    rows = encode_epochs(loaded.tokenizer, render, epochs, 400)
    decoder = Decoder(loaded.model)
    width = decoder.embedding.weight.shape[1] * 2
    longest = max(sum(rows.lengths[row] for row in rows.epoch(n)) for n in (1, 2, 3))
    plenty, little = (FrozenStates(decoder, rows, 1, keep_bytes=size * width) for size in (10_000, longest))
    for epoch in (1, 2, 3):
        plenty.start_epoch(epoch)
        little.start_epoch(epoch)
        assert sum(rows.lengths[row] for row in little.kept) <= longest
        for row in rows.epoch(epoch):
            assert torch.equal(plenty.kept[row], little.kept[row])
    assert len(plenty.kept) == len(EXAMPLES)  # what no later epoch needs is forgotten


def test_a_loss_that_climbs_stops_the_run(base: Path, tmp_path: Path) -> None:
    def turning(epoch: int) -> list[TrainingExample]:
        turn = epoch if epoch > 4 else 0  # learnt already, then another answer in every epoch
        return [TrainingExample(text, LABELS[(n + turn) % len(LABELS)]) for n, text in enumerate(TEXTS)]

    loaded = load_base(base, "float32")
    learnt = train(base, tmp_path, replace(SETTINGS, epochs=20, learning_rate=0.02), loaded=loaded)
    assert max(learnt.losses[-3:]) < 0.5
    settings = replace(SETTINGS, epochs=40, divergence_factor=1.5, divergence_steps=5)
    with pytest.raises(Diverged, match="for 5 steps the loss has been at"):
        train(base, tmp_path / "more", settings, loaded=loaded, epoch_examples=turning)
    assert not (tmp_path / "more" / "adapter").exists()


def test_too_large_a_batch_names_the_setting(base: Path, tmp_path: Path) -> None:
    def greedy(_epoch: int, _model: Any) -> None:
        import torch

        torch.empty(1 << 60)

    with pytest.raises(OutOfMemory, match="ran out of memory") as caught:
        train(base, tmp_path, on_epoch=greedy)
    assert "training.batch_size (now 3)" in caught.value.hint
