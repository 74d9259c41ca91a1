"""From source rows to prepared rows: one normal form, every text once, nothing contradictory.

clean_rows(rows, max_characters=2000)      # (rows in a fixed order, {reason: count})
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from infra.errors import DataError
from tasks.develop.datasets.rows import identity, normalised
from tasks.records import Row, SplitName


def clean_rows(rows: Iterable[Row], max_characters: int) -> tuple[list[Row], dict[str, int]]:
    """Normalised rows, sorted, without duplicates, contradictions and overlong texts; plus what was dropped.

    The copy whose group sorts first stays, so the result does not depend on the order of `rows`.
    """
    dropped: Counter[str] = Counter()
    same = defaultdict[str, list[Row]](list)
    for row in rows:
        text = normalised(row.text)
        if not text:
            dropped["empty text"] += 1
        elif len(text) > max_characters:
            dropped[f"longer than {max_characters} characters"] += 1
        else:
            same[identity(text)].append(Row(text=text, label=row.label, group=row.group))
    kept = []
    for copies in same.values():
        if len({row.label for row in copies}) > 1:
            dropped["same text with several labels"] += len(copies)
        else:
            kept.append(min(copies, key=lambda row: (row.group, row.text)))
            dropped["duplicate"] += len(copies) - 1
    kept.sort(key=lambda row: (row.text, row.group))
    return kept, {reason: count for reason, count in sorted(dropped.items()) if count}


def refuse_leaks(splits: Mapping[SplitName, Iterable[Row]]) -> None:
    """Raises DataError when a text or a group is in two splits."""
    texts: dict[str, SplitName] = {}
    groups: dict[str, SplitName] = {}
    for name, rows in splits.items():
        for number, row in enumerate(rows, start=1):
            first = texts.setdefault(identity(row.text), name)
            if first != name:
                raise DataError(f"{name} row {number}: its text is in the {first} split too")
            first = groups.setdefault(row.group, name)
            if first != name:
                raise DataError(f"{name} row {number}: group {row.group!r} is in the {first} split too")
