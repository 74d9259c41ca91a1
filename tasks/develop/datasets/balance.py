"""Stage "balance": at most so many training rows of every label, the last word on what each split holds.

balance_table(table, SplitSettings(train_per_label=160))
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from infra.config.data import DataSettings, SplitSettings
from infra.errors import DataError
from tasks.develop.datasets.split import SURPLUS, first_of_each
from tasks.develop.datasets.stages import Outcome, Stage

if TYPE_CHECKING:
    import pyarrow as pa


def balance_stage(data: DataSettings) -> Stage:
    """Training rows to `data.split.train_per_label`."""
    settings = data.split.model_dump(mode="json", include={"train_per_label", "test_per_label"})
    settings["published"] = data.split_column is not None
    modules = ("tasks.develop.datasets.balance", "tasks.develop.datasets.split")
    least = 1 if data.split_column is not None else data.split.test_per_label
    return Stage("balance", settings, modules, lambda table, _map: balance_table(table, data.split, least))


def balance_table(table: "pa.Table", settings: SplitSettings, least_tests: int) -> Outcome:
    """The rows, with the first training rows of each label.

    Raises DataError when a label has fewer than `least_tests` test rows, or none to train on.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = table.column("label").combine_chunks().dictionary_encode()
    names, label = coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
    train = np.asarray(pc.equal(table.column("split"), "train"))
    kept = ~train
    kept[train] = first_of_each(label[train], np.full(len(names), settings.train_per_label))
    found = table.filter(pa.array(kept))
    for split, least in (("test", least_tests), ("train", 1)):
        held = label[kept & np.asarray(pc.equal(table.column("split"), split))]
        _require_full(
            dict(zip(names, np.bincount(held, minlength=len(names)).tolist(), strict=True)), split, least
        )
    return Outcome(found, {SURPLUS: int((~kept).sum())})


def _require_full(have: Mapping[str, int], split: str, least: int) -> None:
    if short := {label: count for label, count in sorted(have.items()) if count < least}:
        listed = ", ".join(f"{label!r} {count}" for label, count in short.items())
        raise DataError(
            f"{split} split: got {listed} rows, expected {least} each: too few separate groups",
            hint="rows of one group stay together: add groups, or lower data.split.test_per_label",
        )
