"""Everything of one installation, opened for one project: store, ledger, keys, shelves and paths.

workspace = open_workspace("default", "embedded")
workspace.ledger.state(workspace.project.name).champion
"""

from dataclasses import dataclass
from pathlib import Path

from infra.checkpoints import Checkpoints
from infra.config import Project, load_project
from infra.handover import Shelf
from infra.ledger import Ledger, ProjectState
from infra.signing import TrustRoot, open_trust
from infra.store import Store, open_store


@dataclass(frozen=True)
class Workspace:
    """One project's settings and where its state lies."""

    name: str
    """Name of the project's configuration (`default`, …); `project.name` is what clients ask for."""
    project: Project
    store: Store
    ledger: Ledger

    @property
    def home(self) -> Path:
        """ASSAY_HOME."""
        return self.project.home

    @property
    def checkpoints(self) -> Checkpoints:
        """Signed checkpoints of the ledger below this home."""
        return checkpoints_of(self.project)

    @property
    def releases(self) -> Path:
        """Directory of release directories, each named by the hex digits of its release's digest."""
        return self.home / "releases"

    @property
    def keys(self) -> Path:
        """Directory of keys (0700)."""
        return self.home / "keys"

    @property
    def trust(self) -> TrustRoot:
        """Who may sign what, read now; raises ConfigError, IntegrityError."""
        return open_trust(self.project.path(self.project.trust), self.keys / "signing.pub")

    @property
    def run(self) -> Path:
        """Directory of what is running now: routes, sockets, locks."""
        return self.home / "run"

    @property
    def steps(self) -> Shelf:
        """Results of finished steps, by the digests of their inputs and code."""
        return Shelf(self.home / "steps")

    @property
    def handover(self) -> Shelf:
        """What each phase leaves for the next."""
        return Shelf(self.home / "handover" / self.project.name / self.project.profile)

    def state(self) -> ProjectState:
        """The project's releases as the ledger tells them, its chain verified."""
        return self.ledger.state(self.project.name)


def open_workspace(name: str | None = None, profile: str | None = None) -> Workspace:
    """Open the installation for a project; raises ConfigError as `load_project` does."""
    project = load_project(name, profile=profile)
    ledger = Ledger(project.ledger_url, checkpoints_of(project))
    return Workspace(name or "default", project, open_store(project.store_place), ledger)


def checkpoints_of(project: Project) -> Checkpoints:
    """The ledger's checkpoints, signed by the installation's key under its passphrase."""
    return Checkpoints(project.home, project.signing.passphrase or "")
