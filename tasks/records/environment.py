"""What was true of the machine and the process when training began."""

from pydantic import Field

from tasks.records.record import Digest, Record


class Limits(Record):
    """What the process may use; None: no limit, or none that can be read."""

    memory_bytes: int | None = Field(None, description="least of RLIMIT_AS and the control group's memory")
    cpus: float | None = Field(None, description="processors that the control group grants")
    affinity: int = Field(ge=1, description="processors that the scheduler may use")
    threads: int = Field(ge=1, description="threads that training uses")
    open_files: int | None = None
    processes: int | None = None
    core_bytes: int | None = Field(None, description="size of a core dump, which would hold training data")


class EnvironmentAttestation(Record):
    """Found, not claimed: nothing is trained unless this could be made."""

    time: str = Field(description="when it was found, ISO 8601 in UTC")
    run: str = Field(description="Prefect flow run that was about to train; empty: none")
    offline: tuple[str, ...] = Field(
        description="variables in force, and the libraries that refused to connect"
    )
    base: Digest = Field(description="digest of the base model's files, equal to the pin")
    base_files: int = Field(ge=1, description="files checked: safetensors, no code, no pickles")
    python: str
    platform: str
    packages: Digest = Field(description="digest of {name: version} of all installed distributions")
    versions: dict[str, str] = Field(description="versions of what takes part in training")
    lock: Digest | None = Field(None, description="digest of requirements.lock; None: there is none here")
    locked: int = Field(0, ge=0, description="installed distributions that have exactly the locked version")
    absent: int = Field(0, ge=0, description="locked distributions that are not installed")
    commit: str = Field("unknown", description="git commit of the code; unknown: not in a repository")
    dirty: bool | None = Field(None, description="whether the code differs from the commit; None: unknown")
    secrets: tuple[str, ...] = Field(
        (), description="names of variables that hold a secret, all named by policy"
    )
    unnamed_secrets: tuple[str, ...] = Field(
        (), description="those that no policy names (only when reported)"
    )
    user: str
    uid: int
    limits: Limits
