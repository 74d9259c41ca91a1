"""The fairness check: the candidate's unit on swapped validation rows, its model on stereotype pairs.

CHECK.run(workspace, candidate)       # counterfactual_flips, group_accuracy_gap, stereotype_preference, …
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.config.fairness import FairnessSettings
from infra.digest import canonical_json, digest_bytes, digest_file
from infra.errors import DataError, IntegrityError
from infra.guard import GuardPolicy
from infra.prompts import PromptTemplate
from infra.splits import read_split
from infra.workspace import Workspace
from tasks.records import Candidate, Evidence, Row
from tasks.validate.check import Check
from tasks.validate.fairness.ability import CHOICES, answer_questions, question_messages
from tasks.validate.fairness.answers import ServedAnswers
from tasks.validate.fairness.corpora import HINT, files, read_pairs, read_questions
from tasks.validate.fairness.evidence import fairness_evidence
from tasks.validate.fairness.lists import lists_digest, load_lists
from tasks.validate.fairness.measure import Asked, fairness_report, measure_associations, measure_swaps
from tasks.validate.fairness.stereotypes import prefer

if TYPE_CHECKING:
    from infra.models.load import LoadedModel


def run(workspace: Workspace, candidate: Candidate) -> Sequence[Evidence]:
    """Evidence with the report in the store; raises IntegrityError when the guard is not the candidate's.

    Without the corpora's package only the swaps are measured; the report says what to install.
    """
    from infra.models.load import load_base
    from infra.models.scoring import LabelScorer
    from infra.models.threads import use_threads

    started, settings, store = time.monotonic(), workspace.project.fairness, workspace.store
    guard = _guard(workspace, candidate)
    lists = load_lists(workspace.project.path(settings.lists))
    corpora, skipped = _corpora()
    template = PromptTemplate.from_definition(candidate.prompt.definition)
    with use_threads(1):
        loaded = load_base(store.open_tree(candidate.base.digest))
        asked = _tune(loaded, store.open_tree(candidate.adapter.digest), settings, ask=bool(corpora))
        served = ServedAnswers(guard, LabelScorer(loaded, template.messages, template.labels))
        swapped = measure_swaps(served, _rows(workspace, candidate), lists, settings)
    associated = None if asked is None else measure_associations(asked, settings)
    report = fairness_report(
        swapped,
        associated,
        settings,
        redact=lambda text: guard.redactor.redact(text)[0],
        skipped=skipped,
        seconds=round(time.monotonic() - started, 3),
    )
    return fairness_evidence(
        swapped,
        associated,
        _inputs(candidate) | {"lists": lists.digest},
        corpora=corpora,
        details=store.put_bytes(canonical_json(report.model_dump(mode="json"))),
    )


def _guard(workspace: Workspace, candidate: Candidate) -> GuardPolicy:
    policy = workspace.project.path(workspace.project.guard).read_bytes()
    if (got := digest_bytes(policy)) != candidate.guard:
        raise IntegrityError(
            f"guard policy: got {got}, expected the candidate's {candidate.guard}",
            hint="validate again: the policy was changed in between",
        )
    return GuardPolicy.from_yaml(policy)


def _rows(workspace: Workspace, candidate: Candidate) -> list[Row]:
    """Validation rows: every look at the frozen test split would have to be counted."""
    dataset = candidate.dataset
    cells = read_split(workspace.store, dataset.splits["validation"], dataset.content["validation"])
    return [Row.model_validate(each) for each in cells]


def _corpora() -> tuple[dict[str, str], tuple[str, ...]]:
    """Digests of the corpora's files, or why there are none."""
    try:
        return {name: digest_file(file) for name, file in files().items()}, ()
    except DataError as error:
        return {}, (f"stereotype pairs and ability were not measured: {error.message}; {HINT}",)


def _tune(loaded: "LoadedModel", adapter: Path, settings: FairnessSettings, *, ask: bool) -> Asked | None:
    """Merge the adapter into the base, as `load_tuned` does, and ask the corpora before and after it."""
    from infra.models.load import merge_adapter
    from infra.models.safety import check_model_files
    from infra.models.scoring import LabelScorer

    check_model_files(adapter)
    if not ask:
        merge_adapter(loaded, adapter)
        return None
    pairs = read_pairs(settings.pairs, settings.seed)
    questions = read_questions(settings.ability_items, settings.seed)
    base = prefer(loaded, pairs)
    merge_adapter(loaded, adapter)
    letters = answer_questions(LabelScorer(loaded, question_messages, CHOICES), questions)
    return Asked(pairs, base, prefer(loaded, pairs), questions, letters)


def _inputs(candidate: Candidate) -> dict[str, str]:
    return {
        "candidate": candidate.unit,
        "base": candidate.base.digest,
        "adapter": candidate.adapter.digest,
        "prompt": candidate.prompt.digest,
        "guard": candidate.guard,
        "dataset": candidate.dataset.content["validation"],
    }


CHECK = Check(
    name="fairness",
    metrics=("counterfactual_flips", "group_accuracy_gap"),
    deadline_s=600,
    code=(
        "tasks.validate.fairness",
        "infra.guard",
        "infra.models",
        "infra.normalisation",
        "infra.packages",
        "infra.prompts",
        "infra.statistics",
    ),
    run=run,
    reads=lambda workspace: {"lists": lists_digest(workspace.project.path(workspace.project.fairness.lists))},
    # Not promised: without the corpora they are missing, and a gate on them does not pass.
    optional=("stereotype_preference", "stereotype_preference_change"),
)
