"""The checks as Prefect tasks: one each, so many at a time, none of which can end the run.

evidence = run_checks(workspace, candidate, measured)     # with what each brought, and what failed
"""

import sys
from typing import TYPE_CHECKING, Any, cast

from infra.steps import step
from infra.workspace import Workspace
from tasks.records import Candidate, EvidenceSet
from tasks.validate.checks import checks_of, load_check
from tasks.validate.runner.outcome import Outcome
from tasks.validate.runner.run import run_check as run_one

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture


@step
def run_check(workspace: Workspace, candidate: Candidate, name: str) -> Outcome:
    """Evidence of one check, or its failure; see `tasks.validate.runner`."""
    return run_one(workspace, candidate, name, checks_of(workspace.project)[name])


def run_checks(workspace: Workspace, candidate: Candidate, measured: EvidenceSet) -> EvidenceSet:
    """All checks of the registry beside what was `measured` already; call it inside of a flow."""
    from prefect.task_runners import ThreadPoolTaskRunner

    started: dict[str, PrefectFuture[Outcome]] = {}
    parallel = workspace.project.validation.parallel_checks
    runner: ThreadPoolTaskRunner[Outcome] = ThreadPoolTaskRunner(max_workers=parallel)
    modules = checks_of(workspace.project)
    with runner:
        for name, module in modules.items():
            started[name] = runner.submit(
                cast(Any, run_check).with_options(task_run_name=f"check-{name}"),
                {"workspace": workspace, "candidate": candidate, "name": name},
                wait_for=[started[other] for other in _after(name, module) if other in started],
            )
        outcomes = [_reported(future.result()) for future in started.values()]
    return with_outcomes(measured, outcomes)


def with_outcomes(measured: EvidenceSet, outcomes: list[Outcome]) -> EvidenceSet:
    """One set of everything; a metric that came twice stays twice, which no gate passes."""
    return measured.model_copy(
        update={
            "evidence": (*measured.evidence, *(item for each in outcomes for item in each.evidence)),
            "failures": (*measured.failures, *(each.failure for each in outcomes if each.failure)),
            "seconds": round(measured.seconds + sum(each.seconds for each in outcomes), 3),
        }
    )


def _after(name: str, module: str) -> tuple[str, ...]:
    try:
        return load_check(name, module).after
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  # whatever its import raises: the task itself tells what is wrong
        return ()


def _reported(outcome: Outcome) -> Outcome:
    if sys.stderr.isatty():
        what = outcome.failure.reason if outcome.failure else f"{len(outcome.evidence)} measured"
        print(f"check {outcome.check}: {what} ({outcome.seconds:.1f} s)", file=sys.stderr)
    return outcome
