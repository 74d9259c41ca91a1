"""The check of general ability: the same public questions to base and candidate, so that forgetting is seen.

CHECK.run(workspace, candidate)      # general_ability_drop with a paired interval, by task

The questions are read from an installed package at run time. Where it is absent nothing is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.code import code_digest
from infra.digest import digest_json
from infra.errors import DataError
from infra.statistics.intervals import Interval
from infra.statistics.paired import discordance, mcnemar_exact, paired_difference
from infra.workspace import Workspace
from tasks.records import Candidate, Evidence
from tasks.records.record import Record
from tasks.validate.benchmark.quality import ARTEFACT
from tasks.validate.benchmark.task_data import Item, read_items
from tasks.validate.benchmark.task_file import Benchmark, load_task
from tasks.validate.benchmark.task_run import TaskResult, check_same_questions, run_task
from tasks.validate.check import Check

_CODE = (
    "tasks.validate.benchmark.task_data",
    "tasks.validate.benchmark.task_file",
    "tasks.validate.benchmark.task_run",
    "infra.models",
    "infra.prompts.slots",
)


@dataclass(frozen=True)
class Questions:
    """One task with its items; `digest` names both."""

    task: Benchmark
    items: tuple[Item, ...]
    digest: str


class Answered(Record):
    """One model's answers, by task."""

    results: dict[str, tuple[TaskResult, ...]]


def run(workspace: Workspace, candidate: Candidate) -> Sequence[Evidence]:
    """Evidence of `general_ability_drop`.

    Raises DataError, saying what to install, when the questions are not there; IntegrityError when they
    are other ones than the task files pin.
    """
    asked = read_questions(workspace)
    base = _answers(workspace, asked, candidate.base.digest, None)
    tuned = _answers(workspace, asked, candidate.base.digest, candidate.adapter.digest)
    inputs = {"candidate": candidate.unit, "base": candidate.base.digest}
    inputs |= {f"task.{each.task.name}": each.digest for each in asked}
    return (ability_evidence(base, tuned, inputs, [each.task for each in asked]),)


def read_questions(workspace: Workspace) -> tuple[Questions, ...]:
    """All tasks of `benchmark.general_ability`; raises DataError for two of one name."""
    found: dict[str, Questions] = {}
    for file in workspace.project.benchmark.general_ability:
        path: Path = workspace.project.path(file)
        task = load_task(path)
        if task.name in found:
            raise DataError(f"{path}: task {task.name!r} is there twice", "names of tasks are unique")
        items = read_items(task, path.parent)
        found[task.name] = Questions(task, items.items, digest_json([task.digest, items.digest]))
    return tuple(found.values())


def ability_evidence(
    base: Answered,
    tuned: Answered,
    inputs: dict[str, str],
    tasks: Sequence[Benchmark],
    *,
    confidence: float = 0.95,
) -> Evidence:
    """Share that only the base has right less the share that only the candidate has, over all questions.

    Read as an equivalence: no more was lost than the upper bound says (Schuirmann 1987's one-sided half).
    Raises DataError unless both answered the same questions.
    """
    pairs: dict[str, tuple[list[bool], list[bool]]] = {}
    for task in tasks:
        first, second = base.results[task.name], tuned.results[task.name]
        check_same_questions(first, second)
        pairs[task.name] = ([r.score == 1.0 for r in first], [r.score == 1.0 for r in second])
    firsts = [right for first, _ in pairs.values() for right in first]
    seconds = [right for _, second in pairs.values() for right in second]
    table = discordance(firsts, seconds)
    slices: dict[str, Interval] = {
        name: paired_difference(discordance(first, second), confidence=confidence)
        for name, (first, second) in pairs.items()
    }
    named = ", ".join(
        f"{name} {sum(first)}→{sum(second)} of {len(first)}" for name, (first, second) in pairs.items()
    )
    return Evidence.of(
        "general_ability_drop",
        paired_difference(table, confidence=confidence),
        inputs,
        remark=f"right before→after: {named}; McNemar exact p={mcnemar_exact(table):.1g}; {ARTEFACT};"
        f" rows read from {', '.join(sorted({task.data.package or 'local files' for task in tasks}))}",
        slices=slices,
    )


def _answers(workspace: Workspace, asked: Sequence[Questions], base: str, adapter: str | None) -> Answered:
    inputs = {
        "base": base,
        "adapter": adapter,
        "tasks": [each.digest for each in asked],
        "code": code_digest(*_CODE),
    }
    return workspace.steps.once(
        "ability", inputs, Answered, lambda: _answer_now(workspace, asked, base, adapter)
    )


def _answer_now(workspace: Workspace, asked: Sequence[Questions], base: str, adapter: str | None) -> Answered:
    from infra.models.load import load_base, load_tuned
    from infra.models.threads import use_threads

    with use_threads(workspace.project.training.threads):
        directory = workspace.store.open_tree(base)
        loaded = (
            load_base(directory)
            if adapter is None
            else load_tuned(directory, workspace.store.open_tree(adapter))
        )
        return Answered(results={each.task.name: run_task(each.task, each.items, loaded) for each in asked})


CHECK = Check(
    name="general_ability",
    metrics=("general_ability_drop",),
    deadline_s=300,
    code=("tasks.validate.benchmark.ability", "infra.statistics", *_CODE),
    run=run,
)
