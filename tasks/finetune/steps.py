"""Fine-tune's work as Prefect tasks: look at the machine, screen the rows, train, attack, write it down."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect.runtime import flow_run

from infra.code import code_digest
from infra.digest import canonical_json, digest_bytes, digest_json
from infra.errors import DataError
from infra.guard import GuardPolicy
from infra.ledger import Kind
from infra.prompts import PromptTemplate
from infra.steps import step
from infra.workspace import Workspace
from tasks.finetune.environment import attest_environment, store_attestation
from tasks.finetune.provenance import make_provenance, track_lineage
from tasks.finetune.robustness import robustness_evidence
from tasks.finetune.robustness.page import robustness_page
from tasks.finetune.screening.evidence import screening_evidence
from tasks.finetune.screening.quarantine import HeldBack, hold_back, read_decisions
from tasks.finetune.screening.run import screen_and_test
from tasks.finetune.tuning import rows_of, tune
from tasks.records import Developed, Digest, Evidence, FineTuned, TrainedAdapter
from tasks.records.provenance import Provenance
from tasks.records.robustness import RobustnessReport
from tasks.records.screening import ScreeningReport

if TYPE_CHECKING:
    from infra.tracking import PhaseRun

_SCORING_CODE = ("infra.guard.canonicalise", "infra.models", "infra.normalisation", "infra.prompts")
_TRAINING_CODE = (
    "tasks.finetune.training",
    "tasks.finetune.augmentation",
    "tasks.finetune.perturbations",
    *_SCORING_CODE,
)


@step
def take_developed(workspace: Workspace) -> Developed:
    """What develop handed over for this project and profile; raises DataError when there is nothing."""
    developed = workspace.handover.get("developed", Developed)
    if developed is None:
        raise DataError("nothing to train on yet", hint="run develop first: assay run develop")
    return developed


@step
def attest(workspace: Workspace, run: "PhaseRun", developed: Developed) -> Digest:
    """What is true of this machine and process, stored; raises TrainingError where nothing may be trained."""
    base = developed.base.digest
    attestation = attest_environment(
        workspace.project,
        base=base,
        base_dir=workspace.store.open_tree(base),
        run=str(flow_run.id or ""),
        now=datetime.now(UTC),
    )
    run.artifact("environment.json", attestation.model_dump(mode="json"))
    return store_attestation(workspace.store, attestation)


@step
def screen(workspace: Workspace, run: "PhaseRun", developed: Developed) -> ScreeningReport:
    """Search the training rows for poison, and the screen itself for what it would have missed."""
    from infra.models.embedding import embedding_digest

    project, dataset = workspace.project, developed.dataset
    policy = project.path(project.guard).read_bytes()
    inputs = {
        "train": dataset.content["train"],
        "labels": list(dataset.labels),
        "settings": project.screening.model_dump(mode="json"),
        "guard": digest_bytes(policy),
        "embedding": embedding_digest(),
        "code": code_digest("tasks.finetune.screening", "infra.guard", "infra.models.embedding"),
    }
    report = workspace.steps.once(
        "screening",
        inputs,
        ScreeningReport,
        lambda: _screen(workspace, developed, GuardPolicy.from_yaml(policy)),
    )
    workspace.handover.put("screening", report)
    run.artifact("screening.json", report.model_dump(mode="json"))
    return report


@step
def train_adapter(
    workspace: Workspace,
    run: "PhaseRun",
    developed: Developed,
    screened: ScreeningReport,
    environment: Digest,
) -> TrainedAdapter:
    """The adapter for exactly these inputs and this code: trained now, or the one that was."""
    project = workspace.project
    held = _held(workspace, developed, screened)
    settings = {
        "training": project.training.model_dump(mode="json"),
        "augmentation": project.augmentation.model_dump(mode="json"),
    }
    inputs = {
        "base": developed.base.digest,
        "dataset": developed.dataset.digest,
        "prompt": developed.prompt.digest,
        "settings": digest_json(settings),
        "code": code_digest(*_TRAINING_CODE),
        "held_back": digest_json([*held.undecided, *held.removed]),
    }
    adapter = workspace.steps.once(
        "train",
        inputs,
        TrainedAdapter,
        lambda: tune(workspace, run, developed, held.kept, inputs, environment),
    )
    workspace.store.open_tree(adapter.digest)
    run.params({**inputs, "adapter": adapter.digest, "rows": len(held.kept), **settings["training"]})
    run.metrics({"final_loss": adapter.final_loss, "training_seconds": adapter.seconds})
    return adapter


@step
def test_robustness(
    workspace: Workspace, run: "PhaseRun", developed: Developed, adapter: TrainedAdapter
) -> tuple[Evidence, ...]:
    """The tuned model under noise and injected instructions that training never saw, on the test split."""
    project, dataset = workspace.project, developed.dataset
    settings = project.robustness.model_dump(mode="json")
    inputs = {
        "base": developed.base.digest,
        "adapter": adapter.digest,
        "prompt": developed.prompt.digest,
        "dataset": dataset.content["test"],
        "settings": settings,
        "code": code_digest("tasks.finetune.robustness", "tasks.finetune.perturbations", *_SCORING_CODE),
    }
    report = workspace.steps.once(
        "robustness", inputs, RobustnessReport, lambda: _attack(workspace, developed, adapter)
    )
    content = report.model_dump(mode="json")
    run.artifact("robustness.json", content)
    measured = {name: str(inputs[name]) for name in ("base", "adapter", "prompt", "dataset")}
    run.text("robustness.html", robustness_page(report))
    evidence = robustness_evidence(report, measured, workspace.store.put_bytes(canonical_json(content)))
    run.metrics({item.metric: item.value for item in evidence})
    return evidence


@step
def record_provenance(
    workspace: Workspace, run: "PhaseRun", developed: Developed, adapter: TrainedAdapter
) -> Provenance:
    """SLSA statement and ML-BOM of the adapter, whenever it was trained, and its lineage in MLflow."""
    # Kept with the adapter: a setting that is changed later does not rewrite where it came from.
    inputs = {
        "adapter": digest_json(adapter.model_dump(mode="json")),
        "code": code_digest("tasks.finetune.provenance"),
    }
    provenance = workspace.steps.once(
        "provenance",
        inputs,
        Provenance,
        lambda: make_provenance(workspace.store, workspace.project, developed, adapter),
    )
    track_lineage(run, workspace.store, developed, adapter, provenance, parent=developed.run_id or None)
    return provenance


@step
def hand_over(
    workspace: Workspace,
    developed: Developed,
    screened: ScreeningReport,
    adapter: TrainedAdapter,
    provenance: Provenance,
    robustness: tuple[Evidence, ...],
) -> FineTuned:
    """Everything that validate needs, with what was measured on the way."""
    screening = screening_evidence(
        screened,
        _held(workspace, developed, screened),
        workspace.project.screening,
        inputs={"dataset": developed.dataset.digest, "train": developed.dataset.content["train"]},
    )
    tuned = FineTuned(
        adapter=adapter,
        provenance=provenance,
        evidence=(*developed.evidence, *screening, *robustness),
    )
    workspace.handover.put("finetuned", tuned)
    return tuned


def _held(workspace: Workspace, developed: Developed, screened: ScreeningReport) -> HeldBack:
    decisions = read_decisions(workspace.ledger.entries(), workspace.project.name)
    return hold_back(rows_of(workspace, developed, "train"), screened, decisions)


def _screen(workspace: Workspace, developed: Developed, guard: GuardPolicy) -> ScreeningReport:
    from infra.models.embedding import embed
    from infra.models.vectors import stored_vectors

    settings, dataset = workspace.project.screening, developed.dataset
    rows = rows_of(workspace, developed, "train")
    vectors = stored_vectors(
        workspace.store,
        workspace.steps,
        dataset.content["train"],
        [row.text for row in rows],
        threads=settings.threads,
    )
    return screen_and_test(
        rows, vectors, settings, dataset.labels, guard, lambda texts: embed(texts, threads=settings.threads)
    )


def _attack(workspace: Workspace, developed: Developed, adapter: TrainedAdapter) -> RobustnessReport:
    from infra.models.load import load_tuned
    from infra.models.scoring import LabelScorer
    from infra.models.threads import use_threads
    from tasks.finetune.robustness.measure import measure_robustness

    project, store = workspace.project, workspace.store
    rows = rows_of(workspace, developed, "test")
    # Every look at the hold-out is counted before it is taken.
    workspace.ledger.append(
        Kind.NOTE,
        project=project.name,
        subject=adapter.digest,
        actor="finetune",
        reason="look at the frozen test split",
        details={"test": developed.dataset.content["test"], "model": adapter.digest, "items": len(rows)},
    )
    loaded = load_tuned(store.open_tree(developed.base.digest), store.open_tree(adapter.digest))
    template = PromptTemplate.from_definition(developed.prompt.definition)
    with use_threads(project.training.threads):
        scorer = LabelScorer(loaded, template.messages, template.labels)
        return measure_robustness(scorer, rows, project.robustness)
