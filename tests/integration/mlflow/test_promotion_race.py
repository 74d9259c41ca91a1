"""Two promotions at once, killed at random: ledger, routes and aliases agree after recovery, every time.

The rounds are seeded; what varies between runs is what the processes of a round were doing when they died.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.checkpoints import Checkpoints
from infra.config import load_project
from infra.errors import IntegrityError, PromotionDenied
from infra.gateway.routes import read_snapshot
from infra.ledger import Kind, Ledger
from infra.signing import ensure_key
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy.aliases import check_aliases, follow_ledger
from tasks.deploy.card import CardFacts
from tasks.deploy.rollout import promote
from tasks.deploy.routes import publish_routes
from tests.signed import signer_of, trust_of
from tests.unit.tasks.deploy.samples import make_sample, package

ROUNDS = 30
RELEASES = 3
LONGEST_S = 0.25


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[str]]:
    """A workspace with several packaged releases, none of them in the ledger yet."""
    root = tmp_path_factory.mktemp("race")
    project = load_project(environ={"ASSAY_HOME": str(root / "home")})
    workspace = Workspace("default", project, FileStore(root / "store"), Ledger("sqlite:///nowhere"))
    keys = ensure_key(project.home)
    releases = []
    for number in range(RELEASES):
        scratch = root / str(number)
        scratch.mkdir()
        sample = make_sample(workspace.store, scratch, float(number + 1))
        release = package(
            sample,
            store=workspace.store,
            releases_dir=workspace.releases,
            sequence=number + 1,
            signer=signer_of(keys),
            trust=trust_of(keys),
            facts=CardFacts(title="Incident triage", approval="auto", losses=((1, 2.5), (2, 1.0))),
        )
        releases.append(release.digest)
    return workspace, releases


def opened(workspace: Workspace) -> Workspace:
    """The same with a connection of its own: one must not be shared over a fork."""
    project = workspace.project
    return replace(workspace, ledger=Ledger(project.ledger_url, Checkpoints(project.home)))


def advance(workspace: Workspace, release: str, mlflow_url: str) -> None:
    """Bring a release to the top, as deploy does: entries that are lacking, routes, aliases."""
    name = workspace.project.name
    after = {
        None: Kind.CANDIDATE,
        "superseded": Kind.CANDIDATE,
        "candidate": Kind.AWAITING_APPROVAL,
        "awaiting-approval": Kind.APPROVED,
    }
    while (state := workspace.state()).champion != release:
        present = state.of(release)
        if present == "approved":
            promote(workspace, release, expected_head=state.head, details={"unit": release})
        else:
            kind = after[present]
            workspace.ledger.append(
                kind, project=name, subject=release, actor="x", reason="race", expected_head=state.head
            )
    publish_routes(workspace)
    follow_ledger(workspace, mlflow_url)


@contextlib.contextmanager
def promoting(workspace: Workspace, release: str, mlflow_url: str) -> Iterator[int]:
    """A forked process that tries again whenever the other one was first; its process id."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            own = opened(workspace)
            while True:
                try:
                    advance(own, release, mlflow_url)
                    os._exit(0)
                except (PromotionDenied, IntegrityError):
                    continue  # the other one was first: look again, and decide again
        os._exit(1)
    yield child
    os.waitpid(child, 0)


@pytest.mark.timeout(300)
def test_after_any_kill_ledger_routes_and_aliases_agree(
    installation: tuple[Workspace, list[str]], server: str
) -> None:
    made, releases = installation
    advance(opened(made), releases[0], server)  # imports and first connections, before any fork
    chance = random.Random(20261125)
    killed = finished = 0
    entries_before = 0
    for number in range(ROUNDS):
        both = chance.sample(releases, 2)
        with promoting(made, both[0], server) as one, promoting(made, both[1], server) as other:
            time.sleep(chance.uniform(0.0, LONGEST_S))
            for child in (one, other):
                if chance.random() < 0.8:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                    killed += 1
        workspace = opened(made)
        publish_routes(workspace)
        follow_ledger(workspace, server)
        state = workspace.state()
        entries = workspace.ledger.intact()
        assert len(entries) >= entries_before, number  # nothing that was written is lost
        entries_before = len(entries)
        champions = [entry.subject for entry in entries if entry.kind == Kind.CHAMPION]
        assert state.champion == champions[-1], number
        assert [r for r, each in state.releases.items() if each.state == "champion"] == [state.champion]
        routes = read_snapshot(workspace.run / "routes.json", workspace.keys / "signing.pub")
        assert routes.models == {workspace.project.name: state.champion}, number
        assert "champion=" in check_aliases(workspace, state, server), number
        finished += champions[-1] in both
    assert killed > ROUNDS
    assert finished > ROUNDS / 4
