"""What changed between two prepared versions: settings, stages, and rows by split and label.

difference = compare(store, old, new)
difference.added["train"]["impact"]              # rows; difference.texts holds them, for those who ask
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic import Field, JsonValue

from infra.store import Store
from tasks.develop.datasets.tables import get_table
from tasks.develop.versions import PreparedVersion
from tasks.records import DatasetVersion, Digest, Record, SplitName
from tasks.records.quality import SPLITS

if TYPE_CHECKING:
    Rows = dict[str, tuple[SplitName, str]]

Counts = dict[str, dict[str, int]]


class StageChange(Record):
    """A stage that is new, gone or did something else; absent counts mean that it did not run."""

    name: str
    rows_out: tuple[int | None, int | None]
    dropped: tuple[dict[str, int], dict[str, int]]
    settings: dict[str, tuple[JsonValue, JsonValue]]


class RowChange(Record):
    """One text that was added, removed, relabelled or moved; (split, label) before and after."""

    text: str
    before: tuple[SplitName, str] | None
    after: tuple[SplitName, str] | None


class Difference(Record):
    """Two versions compared; each pair is (old, new)."""

    digests: tuple[Digest, Digest]
    settings: dict[str, tuple[JsonValue, JsonValue]] = Field(description="settings that differ")
    stages: tuple[StageChange, ...]
    rows: dict[SplitName, tuple[int, int]]
    added: Counts = Field(description="rows that only the new version has, by split and label")
    removed: Counts = Field(description="rows that only the old version has, by split and label")
    moved: dict[str, int] = Field(description="texts in both, in another split: `train → test`")
    relabelled: dict[str, int] = Field(description="texts in both, under another label: `a → b`")
    texts: tuple[RowChange, ...] = Field(description="the rows themselves; print them only when asked to")

    @property
    def empty(self) -> bool:
        """Whether both hold the same rows in the same splits under the same labels."""
        return not self.texts


def compare(store: Store, old: PreparedVersion, new: PreparedVersion) -> Difference:
    """Rows are compared by text; raises IntegrityError when the store lost or altered a split."""
    before, after = (_rows(store, version.dataset) for version in (old, new))
    changes = _row_changes(before, after)
    kept = [(each.before, each.after) for each in changes if each.before and each.after]
    return Difference(
        digests=(old.dataset.digest, new.dataset.digest),
        settings=_differing(old.settings, new.settings),
        stages=_stage_changes(old.dataset, new.dataset),
        rows={name: (old.dataset.rows.get(name, 0), new.dataset.rows.get(name, 0)) for name in SPLITS},
        added=_counts(each.after for each in changes if each.before is None),
        removed=_counts(each.before for each in changes if each.after is None),
        moved=dict(Counter(f"{was[0]} → {now[0]}" for was, now in kept if was[0] != now[0])),
        relabelled=dict(Counter(f"{was[1]} → {now[1]}" for was, now in kept if was[1] != now[1])),
        texts=changes,
    )


def _rows(store: Store, dataset: DatasetVersion) -> "Rows":
    found: Rows = {}
    for split, digest in dataset.splits.items():
        table = get_table(store, digest, f"{dataset.name}: {split} split")
        texts, labels = table.column("text").to_pylist(), table.column("label").to_pylist()
        found.update({text: (split, label) for text, label in zip(texts, labels, strict=True)})
    return found


def _row_changes(before: "Rows", after: "Rows") -> tuple[RowChange, ...]:
    changed = [text for text in before.keys() | after.keys() if before.get(text) != after.get(text)]
    return tuple(
        RowChange(text=text, before=before.get(text), after=after.get(text)) for text in sorted(changed)
    )


def _counts(places: Iterable[tuple[SplitName, str] | None]) -> Counts:
    counts: Counts = {}
    for split, label in sorted(place for place in places if place is not None):
        by_label = counts.setdefault(split, {})
        by_label[label] = by_label.get(label, 0) + 1
    return counts


def _stage_changes(old: DatasetVersion, new: DatasetVersion) -> tuple[StageChange, ...]:
    before, after = ({stage.name: stage for stage in version.stages} for version in (old, new))
    changes = []
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        change = StageChange(
            name=name,
            rows_out=(was.rows_out if was else None, now.rows_out if now else None),
            dropped=(was.dropped if was else {}, now.dropped if now else {}),
            settings=_differing(was.settings if was else {}, now.settings if now else {}),
        )
        if was is None or now is None or change.settings or change.dropped[0] != change.dropped[1]:
            changes.append(change)
    return tuple(changes)


def _differing(
    old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]
) -> dict[str, tuple[JsonValue, JsonValue]]:
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}
