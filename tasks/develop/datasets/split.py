"""Stage "split": rows into train, validation and test so that no group is in two of them.

split_table(table, SplitSettings(test_per_label=40))     # the same rows for any order of `table`

Groups are taken whole, in an order that only seed and name decide; the rarest label chooses first, so
that its few groups are not used up by the others. The test split is filled first, with exactly
`test_per_label` rows of every label. What a split does not need is left out, never moved to another.
Published splits are kept as they are; only an absent validation split is taken from training.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.config.data import DataSettings, SplitSettings
from infra.errors import DataError
from tasks.develop.datasets.checks import published_split
from tasks.develop.datasets.stages import Outcome, Stage
from tasks.develop.datasets.words import within
from tasks.records import SplitName

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Flags = NDArray[np.bool_]

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
SURPLUS = "more than the splits take"


def split_stage(data: DataSettings) -> Stage:
    """Evaluation splits at their size, all else for training."""
    # How much training takes is the last stage's matter, and does not move a row here.
    settings = data.split.model_dump(mode="json", exclude={"train_per_label"})
    modules = ("tasks.develop.datasets.split",)
    return Stage("split", settings, modules, lambda table, _map: split_table(table, data.split))


def split_table(table: "pa.Table", settings: SplitSettings) -> Outcome:
    """The rows with a column `split`, split by split, each in a seeded order.

    Raises DataError when a label cannot fill the test split or a published one has no rows.
    """
    import pyarrow as pa

    rows = _Rows.of(table, settings.seed)
    published = "split" in table.column_names
    parts = _published(table, rows, settings) if published else _divided(rows, settings)
    order = {split: rows.seeded(parts[split]) for split in SPLITS}
    names = pa.array(SPLITS).take(pa.array([SPLITS.index(s) for s in SPLITS for _ in order[s]], pa.int32()))
    columns = table.drop_columns(["split"] if published else [])
    found = columns.take(rows.joined(order)).append_column("split", names)
    return Outcome(found, {SURPLUS: table.num_rows - found.num_rows})


@dataclass(frozen=True)
class _Rows:
    """Labels and groups as numbers: labels in the order of their names, groups in their seeded order."""

    seed: int
    texts: "pa.ChunkedArray"
    labels: list[str]
    label: "Rows"
    group: "Rows"

    @staticmethod
    def of(table: "pa.Table", seed: int) -> "_Rows":
        import numpy as np

        labels, label = _numbered(table.column("label"), lambda name: name.encode())
        _, group = _numbered(table.column("group"), lambda name: _rank(seed, name))
        return _Rows(seed, table.column("text"), labels, label.astype(np.int64), group.astype(np.int64))

    def count(self, rows: "Rows") -> "Rows":
        """Rows of each label."""
        import numpy as np

        return np.bincount(self.label[rows], minlength=len(self.labels))

    def seeded(self, rows: "Rows") -> "Rows":
        """The rows in their seeded order."""
        import numpy as np

        ranks = b"".join(_rank(self.seed, text) for text in self.texts.take(rows).to_pylist())
        halves = np.frombuffer(ranks, dtype=">u8").reshape(-1, 4)
        found: Rows = rows[np.lexsort((halves[:, 1], halves[:, 0]))]
        return found

    def limited(self, rows: "Rows", most: "Rows") -> "Rows":
        """Of each label the first rows in seeded order."""
        ordered = self.seeded(rows)
        return ordered[first_of_each(self.label[ordered], most)]

    def take_groups(self, free: "Flags", wanted: "Rows") -> "Rows":
        """Takes groups out of `free` until every label has the rows wanted; returns all rows of these."""
        import numpy as np

        order = np.argsort(self.group, kind="stable")
        starts = np.searchsorted(self.group[order], np.arange(len(free) + 1))
        available = self.count(np.flatnonzero(free[self.group]))
        got = np.zeros(len(self.labels), dtype=np.int64)
        taken = [np.empty(0, dtype=np.int64)]
        for label in np.lexsort((np.arange(len(wanted)), available)):
            for group in np.unique(self.group[self.label == label]):
                if got[label] >= wanted[label]:
                    break
                if free[group]:
                    free[group] = False
                    members = order[starts[group] : starts[group + 1]]
                    taken.append(members)
                    got += self.count(members)
        return np.concatenate(taken)

    def joined(self, order: "Mapping[SplitName, Rows]") -> "Rows":
        """The rows of all splits, one after another."""
        import numpy as np

        return np.concatenate([order[split] for split in SPLITS])


def _divided(rows: _Rows, settings: SplitSettings) -> "dict[SplitName, Rows]":
    import numpy as np

    every = np.arange(len(rows.label))
    _require_enough(dict(zip(rows.labels, rows.count(every).tolist(), strict=True)), settings)
    free = np.ones(int(rows.group.max()) + 1, dtype=bool)
    tests = np.full(len(rows.labels), settings.test_per_label)
    test = rows.take_groups(free, tests)
    validation, most = _validation(rows, free, settings)
    return {
        "train": np.flatnonzero(free[rows.group]),
        "validation": rows.limited(validation, most),
        "test": rows.limited(test, tests),
    }


def _validation(rows: _Rows, free: "Flags", settings: SplitSettings) -> "tuple[Rows, Rows]":
    """Rows of groups taken out of `free` for validation, and how many of each label are needed."""
    import numpy as np

    # A rare label keeps three quarters of what is left for training.
    left = rows.count(np.flatnonzero(free[rows.group]))
    most = np.minimum(left // 4, settings.validation_per_label)
    return rows.take_groups(free, most), most


def _published(table: "pa.Table", rows: _Rows, settings: SplitSettings) -> "dict[SplitName, Rows]":
    import numpy as np

    names = np.array([SPLITS.index(published_split(name)) for name in table.column("split").to_pylist()])
    parts = {split: np.flatnonzero(names == number) for number, split in enumerate(SPLITS)}
    for split in ("train", "test"):
        if not len(parts[split]):
            raise DataError(
                f"published splits: no row of {split} is left",
                hint="or remove data.split_column to divide anew",
            )
    most = np.full(len(rows.labels), settings.validation_per_label)
    if not len(parts["validation"]):
        free = np.zeros(int(rows.group.max()) + 1, dtype=bool)
        free[rows.group[parts["train"]]] = True
        parts["validation"], most = _validation(rows, free, settings)
        parts["train"] = np.flatnonzero(free[rows.group])
    return {**parts, "validation": rows.limited(parts["validation"], most)}


def first_of_each(labels: "Rows", most: "Rows") -> "Flags":
    """For each row, whether it is among the first `most[label]` of its label."""
    import numpy as np

    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels, minlength=len(most))
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = within(counts)
    found: Flags = place < most[labels]
    return found


def _numbered(column: "pa.ChunkedArray", key: Callable[[str], bytes]) -> "tuple[list[str], Rows]":
    """The distinct values sorted by `key`, and the number of each row's value among them."""
    import numpy as np

    coded = column.combine_chunks().dictionary_encode()
    names: list[str] = coded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=lambda index: key(names[index]))
    number = np.empty(len(names), dtype=np.int64)
    number[order] = np.arange(len(names))
    return [names[index] for index in order], number[coded.indices.to_numpy()]


def _rank(seed: int, name: str) -> bytes:
    # A hash instead of a shuffle: adding a row moves no other row, so splits stay comparable over time.
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()


def _require_enough(have: Mapping[str, int], settings: SplitSettings) -> None:
    need = settings.test_per_label + 1
    if short := {label: count for label, count in sorted(have.items()) if count < need}:
        listed = ", ".join(f"{label!r} {count}" for label, count in short.items())
        raise DataError(
            f"too few rows for a test split of {settings.test_per_label} rows a label: got {listed};"
            f" expected at least {need} each",
            hint="add rows, remove the label, or lower data.split.test_per_label",
        )
