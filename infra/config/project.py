"""The typed settings of one project; every field says its unit, cross-field checks live here."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from infra.config.base import BaseSettings
from infra.config.benchmark import BenchmarkSettings
from infra.config.data import DataSettings
from infra.config.environment import EnvironmentSettings
from infra.config.examples import ExampleSettings
from infra.config.fairness import FairnessSettings
from infra.config.garak import GarakSettings
from infra.config.redteam import RedTeamSettings
from infra.config.robustness import AugmentationSettings, RobustnessSettings
from infra.config.scale import ScaleSettings
from infra.config.screening import ScreeningSettings
from infra.config.section import Name, SecretReference, Section
from infra.config.signing import SigningSettings
from infra.config.store import S3Settings, StorePlace
from infra.config.training import TrainingSettings
from infra.config.validation import ValidationSettings
from infra.config.waivers import WaiverSettings
from infra.digest import digest_json


class ApprovalSettings(Section):
    """Who lets a release with a passing verdict go live."""

    policy: Literal["auto", "person"] = "person"
    timeout_s: int = Field(86_400, ge=1, description="no decision within this time is a rejection (expired)")


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
        None, description="secret reference (env:NAME, file:PATH, aws:NAME, prefect:BLOCK) to an http(s) URL"
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
    approvers: Path = Field(Path("approvers.yaml"), description="who may decide on releases")
    trust: Path = Field(Path("trust.yaml"), description="trust policy: who may sign what")
    examples: ExampleSettings = ExampleSettings()
    environment: EnvironmentSettings = EnvironmentSettings()
    screening: ScreeningSettings = ScreeningSettings()
    training: TrainingSettings = TrainingSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    robustness: RobustnessSettings = RobustnessSettings()
    fairness: FairnessSettings = FairnessSettings()
    garak: GarakSettings = GarakSettings()
    redteam: RedTeamSettings = RedTeamSettings()
    validation: ValidationSettings = ValidationSettings()
    benchmark: BenchmarkSettings = BenchmarkSettings()
    scale: ScaleSettings = ScaleSettings()
    approval: ApprovalSettings = ApprovalSettings()
    serving: ServingSettings = ServingSettings()
    gateway: GatewaySettings = GatewaySettings()
    ports: PortSettings = PortSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    notify: NotifySettings = NotifySettings()
    signing: SigningSettings = SigningSettings()
    waivers: WaiverSettings = WaiverSettings()
    operate: OperateSettings = OperateSettings()
    store: str = Field(
        "", description="file:///absolute/path or s3://bucket/prefix; empty: the store below ASSAY_HOME"
    )
    s3: S3Settings = S3Settings()
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
    def store_place(self) -> StorePlace:
        """Where the content-addressed store is."""
        uri = self.store or (self.home / "store").as_uri()
        return StorePlace(uri, cache=self.home / "cache", s3=self.s3)

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger or f"sqlite:///{self.home / 'ledger.db'}"

    def path(self, relative: Path, *, shipped: bool = True) -> Path:
        """A configuration file's absolute path: beside the project file, or else as it comes with `configs/`.

        So a project names only what is its own; policies, corpora and word lists it need not repeat. What
        no other project's file can stand in for, such as the prompt, is asked for with `shipped=False`.
        """
        if not shipped or relative.is_absolute() or (self.root / relative).exists():
            return self.root / relative
        configs = next((each for each in self.root.parents if (each / "profiles").is_dir()), None)
        if configs is not None and (configs / relative).exists():
            return configs / relative
        return self.root / relative
