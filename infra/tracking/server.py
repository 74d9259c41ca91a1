"""One MLflow server: start, search and check; an experiment is a project."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.errors import AssayError
from infra.tracking.client import experiment_of, mlflow_answers, open_client, tag_filter
from infra.tracking.runs import MOST_TAG, PhaseRun, as_texts


@dataclass(frozen=True)
class RunSummary:
    """What a search finds."""

    id: str
    status: str
    started_ms: int
    tags: dict[str, str]
    metrics: dict[str, float]


class Tracking:
    """One MLflow server; an experiment is a project."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextlib.contextmanager
    def phase(self, project: str, phase: str, tags: Mapping[str, str]) -> Iterator["PhaseRun"]:
        """A run that ends as the block ends: FINISHED, FAILED, or KILLED when it is interrupted."""
        run = self.start(project, phase, {"phase": phase, "project": project, **tags})
        try:
            yield run
        except BaseException as error:
            # The first error is the one to report, so a silent MLflow must not replace it.
            with contextlib.suppress(AssayError):
                run.tag({"ended.by": type(error).__name__})
                run.finish(_status(error))
            raise
        run.finish("FINISHED")

    def start(self, project: str, name: str, tags: Mapping[str, str]) -> "PhaseRun":
        """A new run; raises Unavailable."""
        client = open_client(self.url)
        with mlflow_answers(self.url):
            run = client.create_run(
                experiment_of(client, project), run_name=name, tags=as_texts(tags, MOST_TAG)
            )
        return PhaseRun(self.url, run.info.run_id)

    def find(self, project: str, tags: Mapping[str, str], *, most: int = 100) -> list[RunSummary]:
        """Runs of a project that carry all these tags, newest first; raises Unavailable."""
        client = open_client(self.url)
        with mlflow_answers(self.url):
            experiment = client.get_experiment_by_name(project)
            if experiment is None:
                return []
            runs = client.search_runs(
                [experiment.experiment_id], tag_filter(tags), max_results=most, order_by=["start_time DESC"]
            )
        return [
            RunSummary(
                r.info.run_id, r.info.status, r.info.start_time, dict(r.data.tags), dict(r.data.metrics)
            )
            for r in runs
        ]

    def check(self) -> None:
        """Raises Unavailable unless a real request is answered (`/health` says 200 without a database)."""
        client = open_client(self.url)
        with mlflow_answers(self.url):
            client.search_experiments(max_results=1)


def _status(error: BaseException) -> str:
    # A flow that suspends itself for a decision ends its process by an exception of this name.
    if type(error).__name__ == "Pause":
        return "FINISHED"
    return "FAILED" if isinstance(error, Exception) else "KILLED"
