"""Which texts are scored together."""

from hypothesis import given
from hypothesis import strategies as st

from infra.models.likelihood import length_batches
from infra.models.scoring import LabelScore


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 200))
def test_every_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(length_batches(lengths, lambda width: max(1, budget // width)))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


def test_long_texts_first() -> None:
    assert list(length_batches([3, 9, 5, 9], lambda _: 2)) == [[1, 3], [2, 0]]


def test_confidence_is_the_share_of_the_best_label() -> None:
    assert LabelScore("a", (0.0, float("-inf"))).confidence == 1.0
