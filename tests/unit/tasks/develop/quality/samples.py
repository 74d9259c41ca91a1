"""A prepared data set as records alone, for tests of what is drawn from it."""

from typing import Any

from infra.config.data import DataSettings
from infra.config.project import Project
from infra.digest import digest_bytes
from tasks.develop.quality.columns import derive_columns
from tasks.develop.quality.profile import profile_rows
from tasks.records import DatasetVersion, QualityReport
from tasks.records.data import StageReport
from tasks.records.quality import ExpectationResult, Overlap
from tests.unit.tasks.develop.quality.tables import LABELS, splits

SOME = digest_bytes(b"some")


def report(**changes: Any) -> QualityReport:
    """A report that passes on 18 rows; `changes` replaces fields."""
    tables = splits()
    profiles, by_label = profile_rows(tables, derive_columns(tables, LABELS), LABELS)
    results = (
        ExpectationResult(
            rule="no text is empty", column="text_null", passed=True, evaluated=18, unexpected=0
        ),
        ExpectationResult(
            rule="no personal data",
            column="personal_data",
            passed=False,
            blocking=False,
            evaluated=18,
            unexpected=2,
        ),
    )
    fields: dict[str, Any] = {
        "passed": True,
        "expectations": 2,
        "expected": 2,
        "failed": (),
        "rows": {"train": 10, "validation": 4, "test": 4},
        "results": results,
        "violating_rows": 2,
        "profiles": profiles,
        "label_characters": by_label,
        "licences": {"CC-BY-4.0": 18},
        "sources": {"made up": 18},
        "overlap": Overlap(run_words=8, evaluation_rows=8, whole_rows=0, contaminated=1),
    }
    return QualityReport(**{**fields, **changes})


def stage(
    name: str, rows_in: int, dropped: dict[str, int], changed: dict[str, int] | None = None
) -> StageReport:
    return StageReport(
        name=name,
        key=SOME,
        settings={},
        table=SOME,
        rows_in=rows_in,
        rows_out=rows_in - sum(dropped.values()),
        dropped=dropped,
        changed=changed or {},
        seconds=0.1,
    )


def dataset(quality: QualityReport | None = None, **changes: Any) -> DatasetVersion:
    """A data set of 18 rows that lost 7 on the way."""
    digests = {"train": SOME, "validation": SOME, "test": SOME}
    fields: dict[str, Any] = {
        "name": "letters",
        "digest": SOME,
        "splits": digests,
        "content": digests,
        "rows": {"train": 10, "validation": 4, "test": 4},
        "labels": LABELS,
        "source": "rows.jsonl",
        "licence": "CC-BY-4.0",
        "notice": "© somebody",
        "dropped": {"duplicate": 5, "empty text": 2},
        "stages": (
            stage("read", 25, {"empty text": 2}),
            stage("pii", 23, {}, {"email redacted": 3}),
            stage("duplicates", 23, {"duplicate": 5}),
        ),
        "quality": quality or report(),
    }
    return DatasetVersion(**{**fields, **changes})


def project(**data: Any) -> Project:
    """The smallest project around such data."""
    settings = {"source": "jsonl", "path": "rows.jsonl", "licence": "CC-BY-4.0", **data}
    base = {"candidates": [{"name": "tiny", "source": "path:/base", "licence": "Apache-2.0", "digest": SOME}]}
    return Project(
        name="letters",
        title="Letters",
        description="Says which letter.",
        data=DataSettings.model_validate(settings),
        base=base,  # type: ignore[arg-type]  # validated by pydantic
    )
