"""Rows into train, validation and test so that no group is in two of them.

split_rows(rows, SplitSettings(test_per_label=40))     # the same for any order of `rows`

Groups are taken whole, in an order that only seed and name decide; the rarest label chooses first, so
that its few groups are not used up by the others. The test split is filled first, with exactly
`test_per_label` rows of every label. What a split does not need is left out, never moved to another.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from infra.config.data import SplitSettings
from infra.errors import DataError
from tasks.records import Row, SplitName


def split_rows(rows: Sequence[Row], settings: SplitSettings) -> dict[SplitName, list[Row]]:
    """The three splits, each in a seeded order.

    Raises DataError when a label cannot fill the test split or leaves nothing to train on.
    """
    have = Counter(row.label for row in rows)
    _require_enough(have, settings)
    by_group = defaultdict[str, list[Row]](list)
    for row in rows:
        by_group[row.group].append(row)
    order = sorted(by_group, key=lambda group: _rank(settings.seed, group))
    free = {group: by_group[group] for group in order}
    test = _take_groups(free, dict.fromkeys(have, settings.test_per_label))
    # A rare label keeps three quarters of what is left for training.
    left = Counter(row.label for rows_of in free.values() for row in rows_of)
    wanted = {label: min(settings.validation_per_label, left[label] // 4) for label in left}
    validation = _take_groups(free, wanted)
    train = [row for rows_of in free.values() for row in rows_of]
    splits: dict[SplitName, list[Row]] = {
        "train": _limit(train, dict.fromkeys(have, settings.train_per_label), settings.seed),
        "validation": _limit(validation, wanted, settings.seed),
        "test": _limit(test, dict.fromkeys(have, settings.test_per_label), settings.seed),
    }
    _require_full(splits, have, settings)
    return splits


def _take_groups(free: dict[str, list[Row]], wanted: Mapping[str, int]) -> list[Row]:
    """Removes groups from `free` until every label has what is wanted; returns all rows of these groups."""
    groups_of = defaultdict[str, list[str]](list)
    available: Counter[str] = Counter()
    for group, rows in free.items():
        for label in {row.label for row in rows}:
            groups_of[label].append(group)
        available.update(row.label for row in rows)
    taken: list[Row] = []
    got: Counter[str] = Counter()
    for label in sorted(wanted, key=lambda name: (available[name], name)):
        for group in groups_of[label]:
            if got[label] >= wanted[label]:
                break
            if group in free:
                rows = free.pop(group)
                taken += rows
                got.update(row.label for row in rows)
    return taken


def _limit(rows: Iterable[Row], most: Mapping[str, int], seed: int) -> list[Row]:
    kept: list[Row] = []
    count: Counter[str] = Counter()
    for row in sorted(rows, key=lambda row: (_rank(seed, row.text), row.label)):
        if count[row.label] < most.get(row.label, 0):
            count[row.label] += 1
            kept.append(row)
    return kept


def _rank(seed: int, name: str) -> bytes:
    # A hash instead of a shuffle: adding a row moves no other row, so splits stay comparable over time.
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()


def _require_enough(have: Counter[str], settings: SplitSettings) -> None:
    if not have:
        raise DataError("no rows are left to split", hint="check the data source and what was dropped")
    need = settings.test_per_label + 1
    if short := {label: count for label, count in sorted(have.items()) if count < need}:
        listed = ", ".join(f"{label!r} {count}" for label, count in short.items())
        raise DataError(
            f"too few rows for a test split of {settings.test_per_label} rows a label: got {listed};"
            f" expected at least {need} each",
            hint="add rows, remove the label, or lower data.split.test_per_label",
        )


def _require_full(
    splits: Mapping[SplitName, Sequence[Row]], have: Counter[str], settings: SplitSettings
) -> None:
    for name, least in (("test", settings.test_per_label), ("train", 1)):
        got = Counter(row.label for row in splits[name])  # type: ignore[index]  # both are split names
        if short := [label for label in sorted(have) if got[label] < least]:
            listed = ", ".join(f"{label!r} {got[label]}" for label in short)
            raise DataError(
                f"{name} split: got {listed} rows, expected {least} each: too few separate groups",
                hint="rows of one group stay together: add groups, or lower data.split.test_per_label",
            )
