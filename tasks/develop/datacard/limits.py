"""What a data set is not good for, as far as its counts tell.

known_limits(dataset, project.data)      # sentences
"""

from collections.abc import Iterator

from infra.config.data import DataSettings
from infra.statistics.intervals import wilson
from tasks.records import DatasetVersion

_FEW_ROWS, _UNEVEN = 50, 3.0


def known_limits(dataset: DatasetVersion, data: DataSettings) -> tuple[str, ...]:
    """One sentence each; never empty, since labels are never checked here."""
    return (
        "Labels are the source's: nothing here says whether they are right; screening looks for flips.",
        *_size(dataset),
        *_balance(dataset),
        *_groups(dataset),
        *_overlap(dataset),
        *_failures(dataset),
        *(
            ("Languages were not filtered: texts may be in any.",)
            if not data.languages
            else (
                f"Texts in other languages than {', '.join(data.languages)} were left out where it was sure.",
            )
        ),
    )


def _size(dataset: DatasetVersion) -> Iterator[str]:
    if test := dataset.rows.get("test", 0):
        interval = wilson(test // 2, test)
        half = 100 * (interval.upper - interval.lower) / 2
        yield f"{test:,} test rows tell an accuracy to within {half:.1f} points (95 % interval)."


def _balance(dataset: DatasetVersion) -> Iterator[str]:
    profile = dataset.quality.profiles.get("train")
    counts = {label: count for label, count in profile.labels.items() if count} if profile else {}
    if few := sorted(label for label, count in counts.items() if count < _FEW_ROWS):
        yield f"Fewer than {_FEW_ROWS} training rows: {', '.join(few)}."
    if counts and (ratio := max(counts.values()) / min(counts.values())) >= _UNEVEN:
        yield f"The most frequent label has {ratio:.1f} times the training rows of the rarest."


def _groups(dataset: DatasetVersion) -> Iterator[str]:
    profile = dataset.quality.profiles.get("train")
    if profile and 1 < dataset.rows.get("train", 0) == profile.groups:
        yield "Every training row is a group of its own: related rows may be in different splits."


def _overlap(dataset: DatasetVersion) -> Iterator[str]:
    overlap = dataset.quality.overlap
    if overlap is None:
        yield "Overlap of evaluation and training rows was not measured."
    elif overlap.contaminated:
        yield (
            f"{overlap.contaminated:,} of {overlap.evaluation_rows:,} evaluation rows share"
            f" {overlap.run_words} words in a row or more with training."
        )


def _failures(dataset: DatasetVersion) -> Iterator[str]:
    for line in dataset.quality.failed:
        yield f"The quality check failed: {line}."
