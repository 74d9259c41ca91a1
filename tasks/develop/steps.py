"""Develop's work as Prefect tasks: each takes the workspace, hands on a record, and may run again."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from infra.code import code_digest
from infra.digest import canonical_json, digest_bytes
from infra.guard import GuardPolicy
from infra.prompts import Example
from infra.scale import mapper
from infra.stack import Endpoints
from infra.steps import step
from infra.workspace import Workspace
from tasks.develop.datasets import load_split
from tasks.develop.documents import quality_documents
from tasks.develop.fewshot import curate_examples
from tasks.develop.prompts import lint_prompt, load_prompt, to_template
from tasks.develop.quality import require_quality
from tasks.develop.requirements import gate_metrics, load_requirements, requirements_document
from tasks.develop.selection import check_candidates, chosen_base, compare_bases, table
from tasks.develop.versions import prepare
from tasks.records import BaseModelVersion, DatasetVersion, Developed, PromptVersion, SecurityRequirements
from tasks.records.examples import ExampleSet
from tasks.records.quality import SPLITS
from tasks.records.selection import BaseComparison

if TYPE_CHECKING:
    from infra.tracking import PhaseRun


@step
def prepare_data(workspace: Workspace, run: "PhaseRun") -> DatasetVersion:
    """Read, prepare, check and store the data; raises DataError unless the quality checks pass."""
    with mapper(workspace.project.scale) as map_items:
        dataset = prepare(workspace, map_chunks=map_items)
    documents = quality_documents(dataset, workspace.project)
    # Logged before anything is refused: the report says why.
    run.text("quality.html", documents.report)
    run.text("datacard.md", documents.card)
    require_quality(dataset.quality)
    return dataset


@step
def curate(workspace: Workspace, dataset: DatasetVersion) -> ExampleSet | None:
    """Few-shot examples from the training rows; None when neither the prompt nor the selection shows any."""
    from infra.models.embedding import embedding_digest
    from infra.models.vectors import stored_vectors

    project = workspace.project
    if not project.examples.count and not project.base.shots:
        return None
    policy = project.path(project.guard).read_bytes()
    inputs = {
        "content": dataset.content,
        "labels": list(dataset.labels),
        "settings": project.examples.model_dump(mode="json"),
        "guard": digest_bytes(policy),
        "embedding": embedding_digest(),
        "code": code_digest("tasks.develop.fewshot", "infra.guard", "infra.models.embedding"),
    }

    def curated() -> ExampleSet:
        rows = {name: load_split(workspace.store, dataset, name) for name in SPLITS}
        vectors = {
            name: stored_vectors(
                workspace.store, workspace.steps, dataset.content[name], [row.text for row in some]
            )
            for name, some in rows.items()
        }
        train = rows.pop("train")
        guard = GuardPolicy.from_yaml(policy)
        return curate_examples(train, rows, project.examples, dataset.labels, guard=guard, vectors=vectors)

    return workspace.steps.once("examples", inputs, ExampleSet, curated)


@step
def choose_base_model(
    workspace: Workspace,
    run: "PhaseRun",
    dataset: DatasetVersion,
    examples: ExampleSet | None,
) -> BaseModelVersion:
    """Check every configured candidate, score the accepted ones, and choose by the configured rule."""
    from infra.models.convert import convert_gguf

    project = workspace.project
    checks = check_candidates(project, workspace.store, workspace.home / "work", convert_gguf)
    # Zero-shot and few-shot: the prompt without the examples that it may be served with.
    prompt = load_prompt(project.path(project.prompt, shipped=False), dataset.labels)
    shown = examples.first(project.base.shots) if examples else ()
    inputs = {
        "checks": [check.model_dump(mode="json") for check in checks],
        "prompt": prompt.digest,
        "examples": [example.model_dump(mode="json") for example in shown],
        "validation": dataset.content["validation"],
        "settings": project.base.model_dump(mode="json"),
        "code": code_digest(
            "tasks.develop.selection", "tasks.develop.fewshot", "infra.models", "infra.prompts"
        ),
    }
    comparison = workspace.steps.once(
        "bases",
        inputs,
        BaseComparison,
        lambda: compare_bases(
            checks,
            to_template(prompt),
            shown,
            load_split(workspace.store, dataset, "validation"),
            project.base,
            workspace.store,
        ),
    )
    workspace.handover.put("bases", comparison)
    run.artifact("bases.json", comparison.model_dump(mode="json"))
    run.text("bases.txt", table.as_text(comparison) + "\n")
    run.metrics(table.metrics(comparison))
    return chosen_base(comparison)


@step
def register_prompt(
    workspace: Workspace,
    endpoints: Endpoints,
    run: "PhaseRun",
    dataset: DatasetVersion,
    base: BaseModelVersion,
    examples: ExampleSet | None,
) -> PromptVersion:
    """Lint the template with the base's own tokenizer and publish it to the prompt registry by digest."""
    from infra.models.tokenizer import count_tokens, load_tokenizer
    from infra.registry import Registry

    project, tokenizer = workspace.project, load_tokenizer(workspace.store.open_tree(base.digest))
    file = project.path(project.prompt, shipped=False)
    chosen = examples.first(project.examples.count) if examples else ()
    shown = [Example(example.text, example.label) for example in chosen]

    def count(messages: Sequence[Mapping[str, str]]) -> int:
        return count_tokens(tokenizer, messages).tokens

    findings = lint_prompt(file, dataset.labels, examples=shown, count=count)
    run.artifact("prompt-lint.json", [finding.model_dump(mode="json") for finding in findings])
    prompt = load_prompt(file, dataset.labels, examples=shown, count=count)
    workspace.store.put_bytes(canonical_json(prompt.definition))
    Registry(endpoints.mlflow_url).publish_prompt(prompt.definition, prompt.digest)
    return prompt


@step
def define_requirements(workspace: Workspace, run: "PhaseRun") -> SecurityRequirements:
    """The threat model's required controls and gates, by digest."""
    project = workspace.project
    requirements = load_requirements(project, gate_metrics(project))
    # The release carries the document itself, under the digest that the requirements name.
    workspace.store.put_bytes(requirements_document(project))
    run.artifact("requirements.json", requirements.model_dump(mode="json"))
    return requirements


@step
def track_development(run: "PhaseRun", developed: Developed) -> None:
    """What develop decided, on the run in MLflow."""
    dataset, base = developed.dataset, developed.base
    run.params(
        {
            "dataset": dataset.digest,
            "prompt": developed.prompt.digest,
            "base": base.digest,
            "requirements": developed.requirements.digest,
            "rows.train": dataset.rows["train"],
            "rows.validation": dataset.rows["validation"],
            "rows.test": dataset.rows["test"],
        }
    )
    run.metrics({item.metric: item.value for item in developed.evidence})
    for split in ("train", "validation", "test"):
        run.dataset(f"{dataset.name}-{split}", dataset.content[split], split)
    run.artifact("developed.json", developed.model_dump(mode="json", exclude={"examples": {"examples"}}))
