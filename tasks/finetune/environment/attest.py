"""Find out what is true of the machine and the process, and refuse to train where it must not be so.

attestation = attest_environment(project, base=base, base_dir=tree, run=flow_run, now=datetime.now(UTC))
digest = store_attestation(store, attestation)       # TrainedAdapter.environment
"""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.config import Project
from infra.config.environment import force_offline, secret_variables
from infra.config.load import REPOSITORY
from infra.digest import canonical_json, digest_bytes, digest_json, digest_manifest, tree_manifest
from infra.errors import ConfigError, TrainingError
from infra.guard import GuardPolicy
from infra.models.safety import check_model_files
from infra.store import Store
from tasks.finetune.environment import machine
from tasks.finetune.environment.offline import refuse_hub
from tasks.finetune.environment.packages import check_lock, installed
from tasks.finetune.environment.secrets import allowed_patterns, sort_secrets
from tasks.records.environment import EnvironmentAttestation

_TAKES_PART = ("torch", "transformers", "peft", "safetensors", "numpy", "accelerate", "trl", "datasets")


def attest_environment(
    project: Project, *, base: str, base_dir: Path, run: str, now: datetime, code: Path = REPOSITORY
) -> EnvironmentAttestation:
    """What is true now; call it in the process that trains, before anything is loaded.

    `base` is the pinned digest of the files in `base_dir`, `run` the id of the flow run, `code` the directory
    with flows/, tasks/ and infra/.
    Keeps this process off the model hub. Raises TrainingError or ConfigError when a library would connect,
    when the base is not what was pinned or not safe (DataError), when installed packages are not the locked
    ones, when the environment holds a secret that no policy names, and, where the settings ask for it, when
    there is no lock or the code differs from its commit.
    """
    variables = force_offline()
    allowed, unnamed = check_secrets(project)
    commit, dirty = check_code(project, code)
    files = check_base(base, base_dir)
    lock = read_lock(project, code)
    packages = installed()
    locked, absent = check_lock(lock.decode("utf-8"), packages) if lock else (0, 0)
    name, uid = machine.user()
    return EnvironmentAttestation(
        time=now.astimezone(UTC).isoformat(timespec="seconds"),
        run=run,
        offline=(*variables, *refuse_hub()),
        base=base,
        base_files=files,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{sys.platform} {platform.machine()}",
        packages=digest_json(packages),
        versions={each: packages[each] for each in _TAKES_PART if each in packages},
        lock=digest_bytes(lock) if lock else None,
        locked=locked,
        absent=absent,
        commit=commit,
        dirty=dirty,
        secrets=allowed,
        unnamed_secrets=unnamed,
        user=name,
        uid=uid,
        limits=machine.limits(project.training.threads),
    )


def store_attestation(store: Store, attestation: EnvironmentAttestation) -> str:
    """Digest of the attestation's canonical JSON, which now lies in the store."""
    return store.put_bytes(canonical_json(attestation.model_dump(mode="json")))


def check_code(project: Project, code: Path) -> tuple[str, bool | None]:
    """Commit and dirtiness of the code; raises TrainingError unless it is as clean as the settings ask."""
    commit, dirty = machine.code_version(code)
    if project.environment.require_clean and dirty is not False:
        what = "has no known commit" if dirty is None else f"differs from commit {commit[:12]}"
        raise TrainingError(
            f"the code {what}, and environment.require_clean is set", hint="commit your changes, then train"
        )
    return commit, dirty


def read_lock(project: Project, code: Path) -> bytes:
    """The lock beside the code, empty when there is none; raises TrainingError where the settings want it."""
    file = code / "requirements.lock"
    if file.is_file():
        return file.read_bytes()
    if project.environment.require_lock:
        raise TrainingError(
            f"{file.name} does not exist beside the code", hint="run from a checkout of the repository"
        )
    return b""


def check_base(base: str, base_dir: Path) -> int:
    """Number of files of a base that is safe and is the pinned one; raises DataError or TrainingError."""
    check_model_files(base_dir)
    files = tree_manifest(base_dir)
    if (got := digest_manifest(files)) != base:
        raise TrainingError(
            f"base model: got {got}, pinned is {base}",
            hint="run develop again: it fetches and checks the base",
        )
    return len(files)


def check_secrets(project: Project) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of variables that hold a secret, allowed and unnamed; raises TrainingError for the latter."""
    redactor = GuardPolicy.from_yaml(_guard(project)).redactor
    found = secret_variables(lambda value: bool(redactor.find(value)))
    allowed, unnamed = sort_secrets(found, allowed_patterns(project))
    if unnamed and project.environment.unnamed_secrets == "refuse":
        raise TrainingError(
            f"the environment holds secrets that training has no use for: {', '.join(unnamed)}",
            hint=f"unset {'it' if len(unnamed) == 1 else 'them'} (for a worker: before `assay up`), or name"
            f" {'it' if len(unnamed) == 1 else 'them'} in environment.allowed_secrets",
        )
    return allowed, unnamed


def _guard(project: Project) -> bytes:
    file = project.path(project.guard)
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{file}: {error.strerror}", hint="its patterns of secrets are needed here"
        ) from error
