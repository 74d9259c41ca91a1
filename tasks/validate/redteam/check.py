"""The red team's native and adaptive tiers as a check of a candidate.

CHECK.run(workspace, candidate)      # attack_success, model_attack_success, adaptive_…, over_refusal

Attacks ride on validation rows: the frozen test split is never looked at.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.config.redteam import RedTeamSettings
from infra.digest import canonical_json, digest_bytes, digest_json
from infra.errors import DataError, IntegrityError
from infra.prompts import PLACEHOLDER, PromptTemplate
from tasks.records import Candidate, Evidence, Row
from tasks.records.quality import SplitName
from tasks.validate.check import Check
from tasks.validate.redteam.attempts import Surroundings
from tasks.validate.redteam.campaign import conduct
from tasks.validate.redteam.corpus import Attack, Corpora, Planned, load_corpora
from tasks.validate.redteam.evidence import METRICS, make_evidence
from tasks.validate.redteam.packages import with_packages
from tasks.validate.redteam.report import make_report
from tasks.validate.redteam.seeds import stream

if TYPE_CHECKING:
    from infra.workspace import Workspace

_LABEL_LENGTHS = 3  # an answer of this many times the longest label has run away
_FEWEST_CHARS = 80
_TRAINING_ROWS = 200


def run(workspace: "Workspace", candidate: Candidate) -> Sequence[Evidence]:
    """Attack the served unit and the model alone; the report goes into the store first.

    Raises DataError, IntegrityError or ConfigError when anything does not allow a fair attack.
    """
    from infra.models.load import load_tuned
    from infra.models.threads import use_threads
    from tasks.validate.targets import ModelAlone, ServedUnit

    started, project, store = time.monotonic(), workspace.project, workspace.store
    settings = project.redteam
    guard = project.path(project.guard).read_bytes()
    if (got := digest_bytes(guard)) != candidate.guard:
        raise IntegrityError(f"guard policy: got {got}, expected the candidate's {candidate.guard}")
    template = PromptTemplate.from_definition(candidate.prompt.definition)
    corpora = with_planted(with_packages(load_corpora(project.path(settings.corpora)), settings), settings)
    around = surroundings(workspace, candidate, template)
    with use_threads(1):
        loaded = load_tuned(store.open_tree(candidate.base.digest), store.open_tree(candidate.adapter.digest))
        unit = ServedUnit.of(loaded, candidate, guard, serving=project.serving, gateway=project.gateway)
        model = ModelAlone(
            loaded,
            template,
            max_new_tokens=settings.max_new_tokens,
            max_prompt_tokens=project.serving.max_prompt_tokens,
        )
        findings = conduct(unit, model, corpora, around, settings)
    private = (around.system,) if template.confidential else ()
    report = make_report(findings, corpora, settings, seconds=time.monotonic() - started, private=private)
    details = store.put_bytes(canonical_json(report.model_dump(mode="json")))
    inputs = {
        "candidate": candidate.unit,
        "prompt": candidate.prompt.digest,
        "guard": candidate.guard,
        "dataset": candidate.dataset.content["validation"],
        "corpora": corpora.digest,
        "settings": digest_json(settings.model_dump(mode="json")),
    }
    return make_evidence(findings, inputs, details, settings.confidence)


def with_planted(corpora: Corpora, settings: RedTeamSettings) -> Corpora:
    """And a question for each value that was planted in the training data."""
    planted = tuple(
        Planned(
            Attack(id=f"planted-{number}", text=question),
            "planted-in-training",
            "sensitive_disclosure",
            "canary",
            wanted=value,
        )
        for number, (question, value) in enumerate(settings.planted.items())
    )
    return replace(corpora, attacks=(*corpora.attacks, *planted))


def surroundings(workspace: "Workspace", candidate: Candidate, template: PromptTemplate) -> Surroundings:
    """Validation rows of all labels in turn, and what must not come out; raises DataError for too few."""
    settings = workspace.project.redteam
    rows = _rows(workspace, candidate, "validation")
    by_label: dict[str, list[Row]] = {}
    for row in stream(settings.seed, "rows").sample(rows, len(rows)):
        by_label.setdefault(row.label, []).append(row)
    chosen: list[Row] = []
    while len(chosen) < settings.rows and any(by_label.values()):
        chosen += [group.pop() for _, group in sorted(by_label.items()) if group]
    if len(template.labels) < 2 or not chosen:
        raise DataError(f"{len(chosen)} validation rows and {len(template.labels)} labels: nothing to attack")
    chosen = chosen[: settings.rows]
    train = _rows(workspace, candidate, "train")
    some = stream(settings.seed, "training").sample(train, min(_TRAINING_ROWS, len(train)))
    return Surroundings(
        rows=tuple(row.text for row in chosen),
        labels=template.labels,
        truths=tuple(row.label for row in chosen),
        system=template.system_message(canary=PLACEHOLDER),
        canary=PLACEHOLDER if template.has_canary else "",
        training=tuple(row.text for row in some),
        limit=max(_FEWEST_CHARS, _LABEL_LENGTHS * max(map(len, template.labels))),
    )


def _rows(workspace: "Workspace", candidate: Candidate, split: SplitName) -> list[Row]:
    from infra.splits import read_split

    dataset = candidate.dataset
    cells = read_split(workspace.store, dataset.splits[split], dataset.content[split])
    return [Row.model_validate(each) for each in cells]


CHECK = Check(
    "redteam",
    METRICS,
    300,
    (
        "tasks.validate.redteam",
        "tasks.validate.targets",
        "infra.guard",
        "infra.serving",
        "infra.models",
        "infra.prompts",
        "infra.normalisation",
    ),
    run,
)
