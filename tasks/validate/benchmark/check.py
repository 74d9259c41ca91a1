"""The check of task quality: candidate, base and champion on the frozen test split, and the unit as served.

CHECK.run(workspace, candidate)      # accuracy, gains with paired intervals, served_accuracy
"""

from collections.abc import Sequence

from infra.workspace import Workspace
from tasks.records import Candidate, Evidence
from tasks.validate.benchmark.hold_out import CODE, read_results, score_champion, score_model, score_served
from tasks.validate.benchmark.quality import Measured, benchmark_evidence
from tasks.validate.benchmark.served import served_evidence
from tasks.validate.check import Check


def run(workspace: Workspace, candidate: Candidate) -> Sequence[Evidence]:
    """Evidence over the very same items; each look is in the ledger. Raises DataError, IntegrityError."""
    prompt, dataset = candidate.prompt.definition, candidate.dataset
    base, tuned = (
        score_model(
            workspace,
            subject=candidate.unit,
            dataset=dataset,
            base=candidate.base.digest,
            adapter=adapter,
            prompt=prompt,
        )
        for adapter in (None, candidate.adapter.digest)
    )
    served = score_served(workspace, candidate)
    inputs = {
        "candidate": candidate.unit,
        "dataset": dataset.content["test"],
        "guard": candidate.guard,
        "prompt": candidate.prompt.digest,
    }
    return (
        *benchmark_evidence(
            Measured(candidate.unit, read_results(workspace, tuned), tuned.items),
            Measured(candidate.base.digest, read_results(workspace, base), base.items),
            score_champion(workspace, candidate),
            dataset=dataset.content["test"],
        ),
        served_evidence(read_results(workspace, served), inputs, details=served.items),
    )


CHECK = Check(
    name="benchmark",
    metrics=("accuracy", "macro_accuracy", "base_accuracy", "accuracy_gain_over_base", "served_accuracy"),
    optional=("champion_accuracy", "accuracy_gain_over_champion"),
    deadline_s=300,
    code=("tasks.validate.benchmark", "infra.statistics", *CODE),
    run=run,
)
