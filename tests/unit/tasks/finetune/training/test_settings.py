"""Training settings refuse what cannot work, and have a digest of their own."""

from dataclasses import asdict
from typing import Any

import pytest

from infra.config.training import TrainingSettings as Configured
from infra.errors import ConfigError
from tasks.finetune.training.settings import TrainingSettings


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"lora_r": 0},
        {"lora_alpha": -1},
        {"max_tokens": 0},
        {"checkpoint_every": 0},
        {"threads": 0},
        {"learning_rate": 0.0},
        {"learning_rate": 1.0},
        {"learning_rate": float("nan")},
        {"warmup_ratio": 1.0},
        {"warmup_ratio": -0.1},
        {"clip_norm": 0.0},
        {"trained_layers": 0},
        {"target_modules": ()},
        {"target_modules": ("q_proj", "lm_head")},
        {"final_ratio": -0.1},
        {"final_ratio": 1.1},
        {"validate_every": 0},
        {"patience": 0},
        {"divergence_factor": 1.0},
        {"divergence_factor": float("nan")},
        {"divergence_steps": 0},
        {"backend": "slow"},
        {"schedule": "step"},
        {"metric": "f1"},
        {"keep": "first"},
        {"processes": 2},
        {"sharding": "fsdp2"},
        {"quantisation": "nf4"},
    ],
)
def test_refuses(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ConfigError, match=name) as caught:
        TrainingSettings(**values)
    assert caught.value.hint


def test_digest_changes_with_any_value() -> None:
    assert TrainingSettings().digest == TrainingSettings().digest
    assert TrainingSettings(seed=1).digest != TrainingSettings().digest
    assert TrainingSettings(trained_layers=None).digest != TrainingSettings().digest


def test_defaults_are_those_of_the_configuration() -> None:
    configured = Configured().model_dump()
    ours = asdict(TrainingSettings())
    assert {name: ours[name] for name in configured} == configured


def test_scale_is_alpha_by_rank() -> None:
    assert TrainingSettings(lora_r=8, lora_alpha=32).scale == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"processes": 3, "batch_size": 32}, "3 do not share batch_size = 32 evenly"),
        ({"final_ratio": 0.1}, "needs backend fast"),
    ],
)
def test_refuses_what_transformers_cannot_do(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingSettings(backend="hf", **values)
