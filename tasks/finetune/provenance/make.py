"""Gather what is known about a trained adapter and put the documents that tell it into the store.

provenance = make_provenance(store, project, developed, adapter)
"""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from infra.config import Project
from infra.digest import canonical_json, tree_manifest
from infra.errors import IntegrityError, TrainingError
from infra.store import Store
from tasks.finetune.environment import store_attestation
from tasks.finetune.provenance.facts import Facts, training_times
from tasks.finetune.provenance.mlbom import check_ml_bom, ml_bom
from tasks.finetune.provenance.slsa import check_statement, provenance_statement
from tasks.records import Developed, TrainedAdapter
from tasks.records.environment import EnvironmentAttestation
from tasks.records.provenance import Provenance

_BUILDERS = ("assay", "prefect", "mlflow")


def make_provenance(
    store: Store, project: Project, developed: Developed, adapter: TrainedAdapter
) -> Provenance:
    """Statement, ML-BOM and attestation in the store, checked; the same inputs give the same digests.

    Run and times are those of the attestation that the training process made when it began. Raises
    TrainingError for an adapter without such an attestation, for one that was made from something else than
    `developed` or that tells of this machine, and for documents that are incomplete or not valid.
    """
    environment = attestation_of(store, adapter)
    check_belongs(developed, adapter, environment)
    if not environment.run:
        raise TrainingError("provenance: the run that trained has no id", hint="train inside of a flow run")
    adapter_dir, base_dir = store.open_tree(adapter.digest), store.open_tree(adapter.base)
    check_portable(adapter_dir)
    settings = _json(base_dir / "config.json")
    started, finished = training_times(environment, adapter.seconds)
    facts = Facts(
        project=project,
        developed=developed,
        adapter=adapter,
        environment=environment,
        adapter_files=tree_manifest(adapter_dir),
        base_files=tree_manifest(base_dir),
        architecture=_first(settings.get("architectures")),
        family=str(settings.get("model_type") or "unknown"),
        builder=f"urn:assay:builder:{project.profile}",
        versions=_versions(),
        started=started,
        finished=finished,
    )
    made, bom = provenance_statement(facts), ml_bom(facts)
    check_statement(made)
    check_ml_bom(bom)
    return Provenance(
        adapter=adapter.digest,
        statement=store.put_bytes(canonical_json(made)),
        mlbom=store.put_bytes(json.dumps(bom, indent=1, ensure_ascii=False).encode() + b"\n"),
        environment=store_attestation(store, environment),
    )


def attestation_of(store: Store, adapter: TrainedAdapter) -> EnvironmentAttestation:
    """What the process that trained this adapter attested; raises TrainingError when it attested nothing."""
    if adapter.environment is None:
        raise TrainingError(
            "the adapter was trained in an environment that nobody attested", hint="train again"
        )
    return EnvironmentAttestation.model_validate_json(store.get_bytes(adapter.environment))


def check_belongs(developed: Developed, adapter: TrainedAdapter, environment: EnvironmentAttestation) -> None:
    """Raises TrainingError unless adapter and attestation are about what develop handed over."""
    parts = (
        ("base", adapter.base, developed.base.digest),
        ("dataset", adapter.dataset, developed.dataset.digest),
        ("prompt", adapter.prompt, developed.prompt.digest),
        ("base in the environment attestation", environment.base, developed.base.digest),
    )
    for name, got, expected in parts:
        if got != expected:
            raise TrainingError(
                f"provenance: {name}: got {got}, develop handed over {expected}", hint="train again"
            )


def check_portable(adapter_dir: Path) -> None:
    """Raises TrainingError when the adapter's configuration holds a path: an identity has no place."""
    for name, value in _leaves(_json(adapter_dir / "adapter_config.json"), "adapter_config.json"):
        if isinstance(value, str) and (value.startswith(("/", "~", "file:")) or value[1:3] in (":\\", ":/")):
            raise TrainingError(
                f"{name}: holds the path of a machine",
                hint="an adapter names its base by the release, not by a path",
            )


def _first(value: object) -> str:
    return str(value[0]) if isinstance(value, list) and value else "unknown"


def _leaves(value: object, name: str) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{name}: {key}")]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner, name)]
    return [(name, value)]


def _json(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{file.name}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise IntegrityError(f"{file.name}: got {type(content).__name__}, expected an object")
    return content


def _versions() -> Mapping[str, str]:
    found = {}
    for name in _BUILDERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
