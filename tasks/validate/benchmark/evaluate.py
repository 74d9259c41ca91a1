"""One model evaluated on demand: a verified release or a local directory, on the test split or a task file.

evaluation = evaluate_task(Local(directory, adapter), Path("quiz.yaml"))
evaluation = evaluate_hold_out(workspace, Local(directory, None))    # the look is in the ledger first
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from infra.digest import digest_json, digest_tree
from infra.ledger import Kind
from infra.statistics.intervals import Interval, wilson
from infra.workspace import Workspace
from tasks.records import DatasetVersion, Slice
from tasks.records.record import Digest, Record
from tasks.validate.benchmark.hold_out import LOOK, frozen_rows
from tasks.validate.benchmark.quality import by_label
from tasks.validate.benchmark.scoring import score_items
from tasks.validate.benchmark.served import BLOCKED, served_items
from tasks.validate.benchmark.task_data import read_items
from tasks.validate.benchmark.task_file import Benchmark, load_task
from tasks.validate.benchmark.task_run import TaskResult, run_task, summarise
from tasks.validate.items import ItemResult

if TYPE_CHECKING:
    from infra.models.load import LoadedModel
    from infra.signing import VerifiedRelease
    from tasks.validate.targets.unit import ServedUnit

Progress = Callable[[int, int], None]


class Figure(Record):
    """One measured share or mean score with its interval."""

    name: str
    value: float
    lower: float
    upper: float
    confidence: float
    n: int
    method: str
    slices: dict[str, Slice] = Field({}, description="by label")


class Evaluation(Record):
    """What a model got right, on what; nothing is promoted on it."""

    model: Digest = Field(description="release, or the directories' content")
    task: str
    items: Digest = Field(description="the very items: task file and rows, or the test split")
    figures: tuple[Figure, ...] = Field(min_length=1)
    looks: int | None = Field(None, description="looks at this test split so far, this one included")
    left_out: int = Field(0, ge=0, description="rows that could not be asked")
    results: tuple[TaskResult, ...] = Field((), description="by item, for task files")


@dataclass(frozen=True)
class Local:
    """A model directory, alone or with a LoRA adapter: merged in fp32, then bf16, as in serving."""

    base: Path
    adapter: Path | None = None

    @property
    def digest(self) -> str:
        """Of the content of both directories."""
        return digest_json([digest_tree(self.base), digest_tree(self.adapter) if self.adapter else None])

    def load(self) -> "LoadedModel":
        """Into memory; raises DataError as the loaders do."""
        from infra.models.load import load_base, load_tuned

        return load_base(self.base) if self.adapter is None else load_tuned(self.base, self.adapter)


def evaluate_task(
    model: Local,
    file: Path,
    *,
    name: str | None = None,
    on_progress: Progress = lambda _done, _total: None,
) -> Evaluation:
    """A task file's score; `name` is the digest of the release that the directories belong to.

    Raises ConfigError, DataError and IntegrityError as task and model are read.
    """
    task = load_task(file)
    items = read_items(task, file.parent)
    results = run_task(task, items.items, model.load(), on_progress)
    return Evaluation(
        model=name or model.digest,
        task=task.name,
        items=digest_json([task.digest, items.digest]),
        figures=(_figure("score", summarise(results), _kind(task)),),
        left_out=items.left_out,
        results=results,
    )


def evaluate_hold_out(
    workspace: Workspace,
    dataset: DatasetVersion,
    model: Local,
    prompt: dict[str, Any],
    *,
    name: str | None = None,
    unit: "Callable[[LoadedModel], ServedUnit] | None" = None,
    actor: str = "evaluate",
) -> Evaluation:
    """Accuracy on the frozen test split, directly and, with `unit`, as served; counted before it is taken."""
    from infra.models.scoring import LabelScorer
    from infra.prompts import PromptTemplate

    rows, digest = frozen_rows(workspace, dataset), name or model.digest
    template, loaded = PromptTemplate.from_definition(prompt), model.load()
    test = dataset.content["test"]
    workspace.ledger.append(
        Kind.NOTE,
        project=workspace.project.name,
        subject=digest,
        actor=actor,
        reason=LOOK,
        details={"test": test, "model": digest, "items": len(rows)},
    )
    direct = score_items(LabelScorer(loaded, template.messages, template.labels), rows)
    figures = [_accuracy("accuracy", direct, "")]
    if unit is not None:
        figures.append(_served(served_items(unit(loaded), rows)))
    return Evaluation(
        model=digest,
        task="test split",
        items=test,
        figures=tuple(figures),
        looks=count_looks(workspace, test),
    )


def count_looks(workspace: Workspace, test: str) -> int:
    """Looks at one test split, whoever took them."""
    return sum(
        entry.reason == LOOK and entry.details.get("test") == test for entry in workspace.ledger.entries()
    )


def release_unit(verified: "VerifiedRelease") -> "Callable[[LoadedModel], ServedUnit]":
    """Guard and prompt of a release around its model in memory."""

    def around(loaded: "LoadedModel") -> "ServedUnit":
        from infra.guard import GuardPolicy
        from infra.prompts import PromptTemplate
        from infra.serving.decoder import Decoder
        from infra.serving.releases import check_settings
        from tasks.validate.targets.unit import ServedUnit

        template = PromptTemplate.from_definition(verified.prompt)
        check_settings(template)
        decoder = Decoder(
            loaded, template.messages, template.labels, most_tokens=template.settings.max_new_tokens
        )
        return ServedUnit(decoder, GuardPolicy.from_yaml(verified.guard_yaml))

    return around


def as_text(evaluation: Evaluation) -> str:
    """A table of the figures and of their slices, the weakest first."""
    lines = [f"model    {evaluation.model}", f"task     {evaluation.task}", ""]
    width = max(len("slice"), *(len(name) + 2 for f in evaluation.figures for name in (f.name, *f.slices)))
    for figure in evaluation.figures:
        lines.append(
            _line(figure.name, width, Slice.of(figure), f"{100 * figure.confidence:g} % {figure.method}")
        )
        weakest = sorted(figure.slices.items(), key=lambda each: (each[1].value, each[0]))
        lines += [_line(f"  {name}", width, part, "") for name, part in weakest]
    if evaluation.left_out:
        lines.append(f"{evaluation.left_out} rows could not be asked and are left out")
    if evaluation.looks is not None:
        lines.append(f"look {evaluation.looks} at this test split; each is in the ledger")
    return "\n".join(lines)


def _kind(task: Benchmark) -> str:
    if task.generation is not None:
        return f"generation, {task.generation.score}"
    return f"choice by {task.choice.method}" if task.choice is not None else ""


def _line(name: str, width: int, part: Slice, method: str) -> str:
    interval = f"[{100 * part.lower:5.1f}, {100 * part.upper:5.1f}]"
    return f"{name:<{width}}  {100 * part.value:5.1f} %  {interval}  n={part.n:<5} {method}".rstrip()


def _accuracy(name: str, results: Sequence[ItemResult], remark: str) -> Figure:
    interval = wilson(sum(item.correct for item in results), len(results))
    return _figure(name, interval, remark, by_label(results, interval.confidence))


def _served(results: Sequence[ItemResult]) -> Figure:
    blocked = sum(item.predicted.startswith(BLOCKED) for item in results)
    return _accuracy("served_accuracy", results, f"{blocked} blocked by the guard")


def _figure(name: str, interval: Interval, remark: str, slices: dict[str, Interval] | None = None) -> Figure:
    return Figure(
        name=name,
        value=interval.value,
        lower=interval.lower,
        upper=interval.upper,
        confidence=interval.confidence,
        n=interval.n,
        method=f"{interval.method}; {remark}" if remark else interval.method,
        slices={key: Slice.of(each) for key, each in (slices or {}).items()},
    )
