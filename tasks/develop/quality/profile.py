"""What the splits are made of, in counts: labels, groups, lengths, licences and sources.

profiles, by_label = profile_rows(tables, narrow, labels)
category_counts(column)                 # {"CC-BY-4.0": 900, "(fewer than 5 rows each)": 3}
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from infra.guard.pii import find_pii
from tasks.develop.quality.columns import text_column
from tasks.develop.quality.guards import SplitCounts, count_cells
from tasks.records import SplitName
from tasks.records.quality import Histogram, Lengths, Profile

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BINS = 24
_MOST_CATEGORIES, _LONGEST_CATEGORY, _LEAST_ROWS = 20, 120, 5
# Capitals and digits in one long word, as access keys have, or a long word of all three alphabets.
_KEY_LIKE = re.compile(r"[A-Z0-9]{16,}|(?=\w*[a-z])(?=\w*[A-Z])(?=\w*\d)\w{24,}")

ABSENT, WITHHELD = "(none)", "(withheld)"
RARE = f"(fewer than {_LEAST_ROWS} rows each)"


def profile_rows(
    tables: Mapping[SplitName, "pa.Table"], narrow: "pa.Table", labels: Sequence[str]
) -> tuple[dict[SplitName, Profile], dict[str, Lengths]]:
    """A profile of every split and the lengths in characters of every label, in bins that are the same.

    `narrow` has the rows of `tables`, split after split.
    """
    import numpy as np
    import pyarrow.compute as pc

    characters, words = (np.asarray(narrow.column(name), np.int64) for name in ("n_chars", "n_words"))
    character_bins, word_bins = _edges(characters), _edges(words)
    counts, start = count_cells(narrow), 0
    profiles: dict[SplitName, Profile] = {}
    for name, table in tables.items():
        rows, found = slice(start, start + table.num_rows), counts.get(name, SplitCounts())
        known = {label: found.labels.get(label, 0) for label in labels}
        profiles[name] = Profile(
            labels=known,
            unknown_labels=table.num_rows - sum(known.values()),
            groups=pc.count_distinct(text_column(table, "group")).as_py(),
            characters=_lengths("characters", characters[rows], character_bins),
            words=_lengths("words", words[rows], word_bins),
        )
        start = rows.stop
    numbers = _label_numbers(narrow, labels)
    by_label = {
        label: _lengths("characters", characters[numbers == number], character_bins)
        for number, label in enumerate(labels)
    }
    return profiles, by_label


def category_counts(column: "pa.ChunkedArray") -> dict[str, int]:
    """Rows by value, most first, for columns that should hold few values.

    A value is named only when it is a category and nobody's data: shared by five rows or more, short, and
    without what looks like personal data or a key. The others are counted together.
    """
    import pyarrow.compute as pc

    counts: Counter[str] = Counter()
    for each in pc.value_counts(column).to_pylist():
        value = (each["values"] or "").strip()
        counts[_category(value, each["counts"])] += each["counts"]
    named = counts.most_common(_MOST_CATEGORIES)
    if rest := counts.total() - sum(count for _, count in named):
        named.append(("(others)", rest))
    return dict(named)


def _category(value: str, rows: int) -> str:
    if not value:
        return ABSENT
    if rows < _LEAST_ROWS:
        return RARE
    unsafe = find_pii(value) or "@" in value or _KEY_LIKE.search(value)
    return WITHHELD if unsafe or len(value) > _LONGEST_CATEGORY or not value.isprintable() else value


def _label_numbers(narrow: "pa.Table", labels: Sequence[str]) -> "NDArray[np.int64]":
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.index_in(narrow.column("label").cast("string"), pa.array(labels, pa.string()))
    return np.asarray(pc.fill_null(known, -1), np.int64)


def _edges(values: "NDArray[np.int64]") -> tuple[int, ...]:
    """Equal bins up to the 99th percentile, and one more for the rest where the tail is longer."""
    import numpy as np

    if not len(values):
        return (0, 1)
    most, usual = int(values.max()), int(np.percentile(values, 99))
    reach = most if most <= 2 * usual else usual
    width = max(-(-(reach + 1) // BINS), 1)
    edges = tuple(range(0, width * BINS + 1, width))
    return edges if most <= edges[-1] else (*edges, most)


def _lengths(
    unit: Literal["characters", "words"], values: "NDArray[np.int64]", edges: tuple[int, ...]
) -> Lengths:
    import numpy as np

    ordered = np.sort(values)
    below = np.searchsorted(ordered, np.array(edges))
    below[-1] = len(ordered)  # the last bin is closed
    median, p95, most = (_quantile(ordered, share) for share in (0.5, 0.95, 1.0))
    histogram = Histogram(edges=edges, counts=tuple(int(count) for count in np.diff(below)))
    return Lengths(unit=unit, median=median, p95=p95, most=most, histogram=histogram)


def _quantile(ordered: "NDArray[np.int64]", share: float) -> int:
    """The least value that at least this share of values does not exceed."""
    return int(ordered[max(math.ceil(share * len(ordered)) - 1, 0)]) if len(ordered) else 0
