"""From training rows to an ordered, versioned set of examples that a prompt may show.

examples = curate_examples(train, {"validation": validation, "test": test}, settings, labels, guard=guard)
examples.first(11)              # one of every label, when there are eleven
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from infra.config.examples import ExampleSettings
from infra.digest import digest_json
from infra.errors import DataError
from infra.guard import GuardPolicy
from tasks.develop.fewshot.checks import ExampleChecks, comparable
from tasks.develop.fewshot.coverage import MOST_ROWS, cover, nearest_label
from tasks.records import Row
from tasks.records.examples import ExampleSet, ShownExample
from tasks.records.quality import SplitName

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = Mapping[SplitName, npt.NDArray[np.float32]]

METHOD = "greedy facility location on sentence embeddings, by label; the shorter of near-equals"
_CELLS = 4_000_000  # similarities held at once: 16 MB


def curate_examples(
    train: Sequence[Row],
    held_out: Mapping[SplitName, Sequence[Row]],
    settings: ExampleSettings,
    labels: Sequence[str],
    *,
    guard: GuardPolicy,
    vectors: "Vectors | None" = None,
) -> ExampleSet:
    """`settings.candidates` examples of every label, or more where `settings.count` asks for more.

    `vectors` are the embeddings of the same rows by split; those that are missing are computed here.
    Raises DataError when a label has no row that may be shown, or `held_out` holds the training split.
    """
    _check(train, held_out, labels)
    from infra.models.embedding import embedding_digest

    outside = [row for rows in held_out.values() for row in rows]
    known = _vectors(train, held_out, vectors)
    refusals = _refusals(train, outside, known, settings, labels, guard)
    rounds = max(settings.candidates, -(-settings.count // len(labels)))
    chosen = _choose(train, known["train"], refusals, labels, rounds)
    shown = tuple(ShownExample(text=train[at].text, label=train[at].label) for at in chosen)
    return ExampleSet(
        digest=digest_json([example.model_dump() for example in shown]),
        examples=shown,
        labels=tuple(labels),
        considered=len(train),
        eligible=refusals.count(""),
        excluded=dict(sorted(Counter(reason for reason in refusals if reason).items())),
        held_out=len(outside),
        method=METHOD,
        embedding=embedding_digest(),
        guard=guard.digest,
    )


def _check(train: Sequence[Row], held_out: Mapping[SplitName, Sequence[Row]], labels: Sequence[str]) -> None:
    if "train" in held_out or not held_out or not all(held_out.values()):
        raise DataError(
            f"examples: held-out splits are {sorted(held_out)}, expected validation and test, with rows",
            hint="without held-out rows no leak can be found",
        )
    if odd := sorted({row.label for row in train} ^ set(labels)):
        raise DataError(
            f"examples: the label {odd[0]!r} is not both in the training rows and in the list",
            hint="give the labels of the data set",
        )


def _vectors(
    train: Sequence[Row], held_out: Mapping[SplitName, Sequence[Row]], given: "Vectors | None"
) -> "Vectors":
    from infra.models.embedding import embed

    splits: dict[SplitName, Sequence[Row]] = {"train": train, **held_out}
    known = dict(given or {})
    for split, rows in splits.items():
        if split not in known:
            known[split] = embed([row.text for row in rows])
        elif len(known[split]) != len(rows):
            raise DataError(f"examples: {len(known[split])} vectors for {len(rows)} rows of {split}")
    return {split: known[split] for split in splits}


def _refusals(
    train: Sequence[Row],
    outside: Sequence[Row],
    vectors: "Vectors",
    settings: ExampleSettings,
    labels: Sequence[str],
    guard: GuardPolicy,
) -> list[str]:
    """One reason for every training row; empty for those that may be shown."""
    checks = ExampleChecks(outside, settings, guard)
    nearest = nearest_label(vectors["train"], [row.label for row in train], list(labels))
    similar = _closest(vectors)
    seen: set[tuple[str, ...]] = set()
    refusals = []
    for at, row in enumerate(train):
        reason = checks.refusal(row)
        if not reason and similar[at] > settings.most_similar:
            reason = "nearly the same as a held-out row"
        if not reason and nearest[at] != row.label:
            reason = "nearer to another label"
        if not reason and comparable(row.text) in seen:
            reason = "duplicate"
        if not reason:
            seen.add(comparable(row.text))
        refusals.append(reason)
    return refusals


def _closest(vectors: "Vectors") -> list[float]:
    """The highest cosine of every training row with any held-out row."""
    import numpy as np

    others = np.concatenate([part for split, part in vectors.items() if split != "train"])
    rows = max(1, _CELLS // len(others))
    own = vectors["train"]
    parts = [(own[start : start + rows] @ others.T).max(1) for start in range(0, len(own), rows)]
    return [float(value) for part in parts for value in part]


def _choose(
    train: Sequence[Row],
    vectors: "npt.NDArray[np.float32]",
    refusals: Sequence[str],
    labels: Sequence[str],
    rounds: int,
) -> list[int]:
    """Row numbers: the best of every label, then the second best of every label, and so on."""
    columns: list[list[int]] = []
    for label in labels:
        rows = _sample([at for at, row in enumerate(train) if row.label == label], train)
        eligible = [place for place, at in enumerate(rows) if not refusals[at]]
        if not eligible:
            reasons = Counter(refusals[at] for at in rows)
            raise DataError(
                f"examples: no training row of {label!r} may be shown: "
                + ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())),
                hint="add rows of this label, or widen the limits under `examples`",
            )
        costs = [len(train[at].text) for at in rows]
        columns.append([rows[place] for place in cover(vectors[rows], eligible, costs, rounds)])
    return [column[turn] for turn in range(rounds) for column in columns if turn < len(column)]


def _sample(rows: list[int], train: Sequence[Row]) -> list[int]:
    """At most MOST_ROWS of a label, by the hash of their text: the same ones whatever the order."""
    by_hash = sorted(rows, key=lambda at: hashlib.sha256(train[at].text.encode()).digest())
    return by_hash[:MOST_ROWS]
