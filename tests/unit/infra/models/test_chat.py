"""The token prefix that rows share."""

from hypothesis import given
from hypothesis import strategies as st

from infra.models.chat import common_prefix_length


def test_no_rows_no_prefix() -> None:
    assert common_prefix_length([]) == 0


def test_shortest_row_keeps_one_token() -> None:
    assert common_prefix_length([[1, 2, 3]]) == 2
    assert common_prefix_length([[1, 2, 3], [1, 2, 3, 4]]) == 2
    assert common_prefix_length([[1], [1, 2]]) == 0


def test_an_empty_row_shares_nothing() -> None:
    assert common_prefix_length([[], [1, 2]]) == 0


@given(
    st.lists(st.integers(0, 3), max_size=6),
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=6),
)
def test_longest_that_all_share(start: list[int], ends: list[list[int]]) -> None:
    rows = [start + end for end in ends]
    length = common_prefix_length(rows)
    assert len({tuple(row[:length]) for row in rows}) == 1
    longer_fits = length + 1 < min(map(len, rows))
    assert not longer_fits or len({tuple(row[: length + 1]) for row in rows}) > 1
