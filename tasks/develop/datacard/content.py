"""What a data card says, made from the dataset's record and the project's settings; no cell values.

The headings follow "Datasheets for Datasets" (Gebru et al., CACM 2021) as far as a machine can answer them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from infra.config.project import Project
from tasks.develop.datacard.limits import known_limits
from tasks.records import DatasetVersion, SplitName
from tasks.records.quality import SPLITS

T = TypeVar("T")

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True)
class Table:
    """Rows of text under heads."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CardPart:
    """One headed part."""

    title: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class DataCard:
    """A whole card; all of it is plain text."""

    title: str
    front: dict[str, object]
    """What data set hubs read: names and values of the Hugging Face dataset card."""
    parts: tuple[CardPart, ...]


def make_data_card(dataset: DatasetVersion, project: Project) -> DataCard:
    """The card of a prepared data set, whether its quality check passed or not."""
    parts = (
        _what(dataset, project),
        _origin(dataset),
        _use(project),
        _composition(dataset),
        _preparation(dataset),
        _splits(dataset, project),
        _personal_data(dataset, project),
        CardPart("Known limits", points=known_limits(dataset, project.data)),
        _digests(dataset),
    )
    return DataCard(f"Data card: {project.title}", _front(dataset, project), parts)


def _what(dataset: DatasetVersion, project: Project) -> CardPart:
    total = sum(dataset.rows.values())
    words = f"{total:,} texts, each under one of {len(dataset.labels)} labels."
    verdict = "passed" if dataset.quality.passed else "did not pass"
    checked = (
        f"It {verdict} its quality check: {dataset.quality.expectations} expectations, evaluated on all rows."
    )
    return CardPart(
        "What it is", tuple(line for line in (project.description.strip(), f"{words} {checked}") if line)
    )


def _origin(dataset: DatasetVersion) -> CardPart:
    counted = (("licence", dataset.quality.licences), ("source", dataset.quality.sources))
    rows = tuple((kind, name, f"{count:,}") for kind, counts in counted for name, count in counts.items())
    notice = (f"Notice: {dataset.notice}",) if dataset.notice else ()
    return CardPart(
        "Origin and licence",
        (f"Read from {dataset.source}. Licence: {dataset.licence}.", *notice),
        table=Table(("of the rows", "named", "rows"), rows) if rows else None,
    )


def _use(project: Project) -> CardPart:
    return CardPart(
        "Intended use",
        (
            f"Fine-tuning and evaluating a model that answers a text with one of these labels"
            f" ({project.title}). The test split is for evaluation alone.",
            "Not for decisions about people, not for other labels, and not for texts from other fields or in"
            " other languages than the source's: nothing here measures those.",
        ),
    )


def _composition(dataset: DatasetVersion) -> CardPart:
    profiles = dataset.quality.split_profiles
    rows = tuple(
        (label, *(f"{profile.labels.get(label, 0):,}" for profile in profiles.values()))
        for label in dataset.labels
    )
    lengths = tuple(
        f"{name}: {profile.characters.median:,} characters in the median, {profile.characters.p95:,} at the"
        f" 95th percentile, {profile.characters.most:,} at most; {profile.words.median:,} words in the median"
        for name, profile in profiles.items()
    )
    return CardPart(
        "Composition", points=lengths, table=Table(("label", *profiles), rows) if profiles else None
    )


def _preparation(dataset: DatasetVersion) -> CardPart:
    if not dataset.stages:
        points = tuple(f"{reason}: {count:,} rows left out" for reason, count in dataset.dropped.items())
        return CardPart("Preparation", points=points or ("no row was left out",))
    rows = tuple(
        (
            stage.name,
            f"{stage.rows_in:,}",
            f"{stage.rows_out:,}",
            counted(stage.dropped) or "none",
            counted(stage.changed) or "none",
        )
        for stage in dataset.stages
    )
    return CardPart(
        "Preparation",
        ("Stages in the order in which they ran; each row that went in came out or is counted.",),
        table=Table(("stage", "rows in", "rows out", "left out", "changed"), rows),
    )


def _splits(dataset: DatasetVersion, project: Project) -> CardPart:
    split = project.data.split
    groups = {name: profile.groups for name, profile in dataset.quality.split_profiles.items()}
    return CardPart(
        "Splits",
        (
            "Rows of one group are in one split. At most"
            f" {split.train_per_label} training, {split.validation_per_label} validation and exactly"
            f" {split.test_per_label} test rows a label where we divide them, seed {split.seed}.",
        ),
        tuple(
            f"{name}: {count:,} rows in {groups.get(name, 0):,} groups"
            for name, count in _by_split(dataset.rows)
        ),
    )


def _personal_data(dataset: DatasetVersion, project: Project) -> CardPart:
    done = {
        "redact": "Personal data in texts become placeholders of their kind",
        "drop": "Rows with personal data are left out",
        "flag": "Personal data are counted and stay in the texts",
    }[project.data.pii_action]
    stages = [stage for stage in dataset.stages if stage.name == "pii"]
    found = (
        "; ".join(filter(None, (counted({**s.changed, **s.dropped}) for s in stages))) or "nothing was found"
    )
    left = next((r.unexpected for r in dataset.quality.results if r.column == "personal_data"), None)
    after = "" if left is None else f" After preparation {left:,} rows look as if they held some."
    return CardPart(
        "Personal data",
        (
            f"{done}: {found}.{after}",
            "What is found: e-mail addresses, bank accounts, payment cards, social security numbers, public"
            " network addresses and phone numbers, by form and checksum."
            + (
                " Names and places are looked for by a language model."
                if project.data.pii_engine == "presidio"
                else " Names and places have no form of their own and are not found."
            ),
        ),
    )


def _digests(dataset: DatasetVersion) -> CardPart:
    rows = [("data set", dataset.digest)]
    rows += [(f"content of {name}", digest) for name, digest in _by_split(dataset.content)]
    if dataset.source_bytes:
        rows.append(("what was read", dataset.source_bytes))
    return CardPart("Digests", table=Table(("of", "SHA-256"), tuple(rows)))


def _by_split(values: Mapping[SplitName, T]) -> list[tuple[SplitName, T]]:
    return [(name, values[name]) for name in SPLITS if name in values]


def counted(counts: dict[str, int]) -> str:
    """Counts in words: `duplicate 12, too long 3`."""
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def _front(dataset: DatasetVersion, project: Project) -> dict[str, object]:
    total = sum(dataset.rows.values())
    size = next((name for most, name in _SIZES if total < most), "n>1M")
    return {
        "pretty_name": project.title,
        "license": "other",
        "license_name": dataset.licence,
        "task_categories": ["text-classification"],
        "size_categories": [size],
        **_languages(project.data.languages),
    }


def _languages(codes: Sequence[str]) -> dict[str, object]:
    return {"language": list(codes)} if codes else {}
