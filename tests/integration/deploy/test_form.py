"""The form in the Prefect UI against a real server: a wrong code is asked again, a right one decides once."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound

from infra.config import load_project
from infra.config.load import REPOSITORY
from infra.digest import canonical_json, hex_of
from infra.ledger import Kind
from infra.signing import create_key, ensure_key, load_private_key
from infra.signing.signer import KeySigner
from infra.stack.control import Blueprint, bring_up, down
from infra.stack.services import client_environment, local_services
from infra.workspace import Workspace, open_workspace
from tasks.deploy.voting.seeds import create_seed, seed_file
from tasks.records import Release, Validated
from tests.integration.stack.conftest import free_port
from tests.unit.tasks.deploy.samples import make_sample, package

pytestmark = pytest.mark.timeout(400)


@dataclass
class Office:
    """A real Prefect server, a process that serves the flow, and a release to decide about."""

    url: str
    workspace: Workspace

    def client(self) -> SyncPrefectClient:
        return SyncPrefectClient(f"{self.url}/api")

    def start(self) -> uuid.UUID:
        with self.client() as client:
            deployment = client.read_deployment_by_name("decision/decision")
            return client.create_flow_run_from_deployment(deployment.id).id

    def until(self, run: uuid.UUID, *names: str) -> FlowRun:
        deadline = time.monotonic() + 120
        with self.client() as client:
            while True:
                found = client.read_flow_run(run)
                if found.state is not None and found.state.name in names:
                    return found
                assert found.state is None or found.state.name not in ("Failed", "Crashed"), found.state
                assert time.monotonic() < deadline, found.state
                time.sleep(0.5)

    def suspended(self, run: uuid.UUID, than: str = "") -> str:
        """The name of the form that the run waits for, another one than before."""
        deadline = time.monotonic() + 120
        while True:
            state = self.until(run, "Suspended").state
            assert state is not None
            assert time.monotonic() < deadline
            if (key := str(state.state_details.pause_key)) != than:
                return key
            time.sleep(0.5)

    def description(self, run: uuid.UUID, key: str) -> str:
        with self.client() as client:
            state = client.read_flow_run(run).state
            assert state is not None
            keyset = state.state_details.run_input_keyset
            assert keyset is not None
            return client._client.post(  # its own call has no synchronous form
                f"/flow_runs/{run}/input/filter", json={"prefix": keyset["description"], "limit": 1}
            ).text

    def fill_in(self, run: uuid.UUID, code: str, decision: str = "approve") -> str:
        form = {"approver": "ada", "decision": decision, "reason": "looked at the card", "code": code}
        with self.client() as client:
            return str(client.resume_flow_run(run, run_input=form).status.value)

    def code(self) -> str:
        return pyotp.TOTP(seed_file(self.workspace.home, "ada").read_text()).at(datetime.now(UTC))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    configs, home = tmp_path / "configs", tmp_path / "home"
    shutil.copytree(REPOSITORY / "configs", configs)
    for name, value in {"ASSAY_CONFIGS": configs, "ASSAY_HOME": home}.items():
        monkeypatch.setenv(name, str(value))
    workspace = open_workspace("default", "production")
    prepare(workspace, tmp_path, configs)
    project = load_project()
    others = dict.fromkeys(("mlflow", "model-server", "gateway"), 1)
    blueprint = Blueprint(
        home,
        {"prefect": free_port()},
        lambda ports: tuple(s for s in local_services(project, {**others, **ports}) if s.name == "prefect"),
    )
    url = bring_up(blueprint).urls["prefect"]
    environment = {**os.environ, **client_environment(home, f"{url}/api", "http://127.0.0.1:1")}
    environment |= {"PYTHONPATH": str(REPOSITORY), "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    script = Path(__file__).with_name("served_decision.py")
    server = subprocess.Popen([sys.executable, str(script)], env=environment)
    try:
        office = Office(url, workspace)
        await_deployment(office, server)
        yield office
    finally:
        server.terminate()
        server.wait(30)
        down(home)


def prepare(workspace: Workspace, scratch: Path, configs: Path) -> None:
    """Ada with one-time codes, Grace with a key, and a packaged release that validation handed over."""
    sample = make_sample(workspace.store, scratch)
    release = package(
        sample,
        store=workspace.store,
        releases_dir=workspace.releases,
        signer=KeySigner(load_private_key(ensure_key(workspace.home).private)),
        trust=workspace.trust,
    )
    adapter = sample.candidate.adapter.model_copy(update={"trained_by": "night"})
    validated = Validated(
        candidate=sample.candidate.model_copy(update={"adapter": adapter}),
        evidence=workspace.store.put_bytes(canonical_json(sample.evidence.model_dump(mode="json"))),
        report=sample.report,
        run_id="0123456789abcdef",
        started_by="night",
    )
    workspace.handover.put("validated", validated)
    workspace.handover.put("release", Release.model_validate(release.model_dump()))
    create_seed(workspace.home, "ada")
    grace = create_key(workspace.home / "keys" / "approvers" / "grace")
    people = {
        "ada": {"roles": ["release-manager"], "totp": f"file:{seed_file(workspace.home, 'ada')}"},
        "grace": {"roles": ["release-manager"], "key": str(grace.public)},
    }
    (configs / "approvers.yaml").write_text(yaml.safe_dump({"approvers": people, "default": {"quorum": 2}}))


def await_deployment(office: Office, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with office.client() as client:
                client.read_deployment_by_name("decision/decision")
                return
        except ObjectNotFound:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)


def test_forms_and_a_key_decide_together(office: Office) -> None:
    """Quorum two: a wrong code, a right one, the same one again, then Grace's key from the command line."""
    workspace = office.workspace
    run = office.start()
    first = office.suspended(run)
    assert "0 of 2 approvals" in office.description(run, first)

    assert office.fill_in(run, "000000") == "ACCEPT"
    second = office.suspended(run, first)
    assert "does not count" in office.description(run, second)

    code = office.code()
    assert office.fill_in(run, code) == "ACCEPT"
    third = office.suspended(run, second)
    assert "1 of 2 approvals" in office.description(run, third)

    assert office.fill_in(run, code) == "ACCEPT"
    office.suspended(run, third)
    notes = [e.details for e in workspace.ledger.entries() if e.kind == Kind.NOTE]
    assert [("vote" in note, note.get("refused", {}).get("why")) for note in notes] == [
        (False, "wrong-code"),
        (True, None),
        (False, "replayed"),
    ]

    release = workspace.handover.get("release", Release)
    assert release is not None
    command = (sys.executable, "-m", "flows.cli", "release", "approve", hex_of(release.digest)[:12])
    options = ("--as", "grace", "--reason", "looked at the card")
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "approved by ada, grace" in done.stdout
    # Only Prefect runs here: the command finds no whole stack, and the run is woken as it would have been.
    assert office.fill_in(run, "-") == "ACCEPT"
    office.until(run, "Completed")
    deciding = [e for e in workspace.ledger.entries() if e.kind in (Kind.APPROVED, Kind.REJECTED)]
    assert [(e.kind, e.actor) for e in deciding] == [(Kind.APPROVED, "ada, grace")]
