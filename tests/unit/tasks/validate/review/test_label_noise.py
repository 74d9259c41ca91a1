"""Labels that the model contradicts with confidence are found; doubts and plain mistakes are not."""

import math

import pytest

from infra.errors import DataError
from tasks.validate.items import ItemResult
from tasks.validate.review.label_noise import label_noise


def item(number: int, label: str, **probabilities: float) -> ItemResult:
    predicted = max(probabilities, key=probabilities.__getitem__)
    logs = {name: math.log(value) for name, value in probabilities.items()}
    return ItemResult(
        id=f"{number}", label=label, predicted=predicted, correct=predicted == label, log_probs=logs
    )


CLEAN = [
    *(item(number, "a", a=0.9, b=0.1) for number in range(10)),
    *(item(number, "b", a=0.2, b=0.8) for number in range(10, 20)),
]


def test_clean_labels_are_not_suspected() -> None:
    noise = label_noise(CLEAN)
    assert noise.suspects == ()
    assert noise.by_label == {"a": (0, 10), "b": (0, 10)}
    assert (noise.share().value, noise.share().n) == (0.0, 20)


def test_planted_flips_are_found_by_label() -> None:
    noise = label_noise([*CLEAN, item(20, "a", a=0.05, b=0.95), item(21, "a", a=0.1, b=0.9)])
    assert noise.suspects == ("20", "21")
    assert noise.by_label == {"a": (2, 12), "b": (0, 10)}


def test_a_mistake_without_confidence_is_no_evidence_against_the_label() -> None:
    # Wrong answer, but 0.6 is not what this model gives to a sure "b".
    assert label_noise([*CLEAN, item(20, "a", a=0.4, b=0.6)]).suspects == ()


def test_a_class_that_no_item_has_convinces_nobody() -> None:
    assert label_noise([*CLEAN, item(20, "a", a=0.05, b=0.05, c=0.9)]).suspects == ()


@pytest.mark.parametrize(
    "items",
    [
        [],
        [CLEAN[0].model_copy(update={"log_probs": None})],
        [CLEAN[0].model_copy(update={"log_probs": {"b": -0.1}})],
        [CLEAN[0].model_copy(update={"log_probs": {"a": float("nan"), "b": -0.1}})],
    ],
    ids=["none", "no probabilities", "not of its label", "NaN"],
)
def test_without_probabilities_there_is_no_estimate(items: list[ItemResult]) -> None:
    with pytest.raises(DataError):
        label_noise(items)
