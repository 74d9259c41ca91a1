"""Audit of a real release: whole, it holds; whatever was altered is named. An outsider sees the same."""

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from infra.checkpoints import NAME, Checkpoints
from infra.config import load_project
from infra.digest import hex_of
from infra.errors import DataError, IntegrityError
from infra.gateway.routes import RouteSnapshot, read_snapshot, write_snapshot
from infra.ledger import Kind, Ledger
from infra.signing import ensure_key, load_private_key
from infra.signing.dsse import sign_statement
from infra.signing.rotation import rotate_key, void_key
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy.approval import request_approval
from tasks.deploy.audit import audit, export_archive, history
from tasks.deploy.card import CardFacts
from tasks.deploy.routes import publish_routes
from tasks.deploy.voting.automatic import approve_automatically
from tests.signed import POLICY, signer_of, trust_of
from tests.unit.tasks.deploy.samples import make_sample, package


class House:
    """An installation with one champion."""

    def __init__(self, root: Path) -> None:
        project = load_project(environ={"ASSAY_HOME": str(root / "home")})
        ledger = Ledger(project.ledger_url, Checkpoints(project.home))
        self.workspace = Workspace("default", project, FileStore(root / "store"), ledger)
        sample = make_sample(self.workspace.store, root)
        keys = ensure_key(self.workspace.home)
        self.unit = sample.candidate.unit
        self.release = package(
            sample,
            store=self.workspace.store,
            releases_dir=self.workspace.releases,
            signer=signer_of(keys),
            trust=trust_of(keys),
            facts=CardFacts(title="Incident triage", approval="auto", losses=((1, 2.5), (2, 1.0))),
        ).digest
        request_approval(
            self.workspace,
            self.release,
            sample.report,
            unit=self.unit,
            started_by=["night"],
            trained_by="night",
        )
        approve_automatically(self.workspace, self.release)
        self.enter(Kind.CHAMPION)
        publish_routes(self.workspace)

    def enter(self, kind: Kind, release: str = "", unit: str = "") -> None:
        self.workspace.ledger.append(
            kind,
            project=self.workspace.project.name,
            subject=release or self.release,
            actor="ada",
            reason="test",
            details={"unit": unit or self.unit},
        )

    @property
    def directory(self) -> Path:
        return self.workspace.releases / hex_of(self.release)

    def wrong(self) -> list[str]:
        return [f"{each.part}: {each.message}" for each in audit(self.workspace) if not each.healthy]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def overwrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.chmod(0o600)
    file.write_bytes(change(file.read_bytes()))


def test_all_of_it_holds(house: House) -> None:
    found = audit(house.workspace)
    assert [(each.part, each.healthy) for each in found] == [
        ("ledger", True),
        ("checkpoint", True),
        ("release", True),
        ("decision", True),
        ("routes", True),
    ]
    assert f"{house.release} (champion" in found[2].message
    assert "policy:auto by auto" in found[3].message
    assert [entry.kind for entry in history(house.workspace.ledger.entries(), house.release)] == [
        Kind.CANDIDATE,
        Kind.AWAITING_APPROVAL,
        Kind.APPROVED,
        Kind.CHAMPION,
    ]


def test_each_thing_that_was_altered_is_named(house: House) -> None:
    card = house.directory / "card.html"
    good = card.read_bytes()
    overwrite(card, lambda data: data + b" ")
    assert [each.startswith("release: ") and "card.html: altered" in each for each in house.wrong()] == [True]
    overwrite(card, lambda _: good)
    keys = ensure_key(house.workspace.home)
    snapshot = read_snapshot(house.workspace.run / "routes.json", keys.public)
    other = "sha256:" + "7" * 64
    write_snapshot(
        house.workspace.run / "routes.json",
        RouteSnapshot(snapshot.generation + 1, dict.fromkeys(snapshot.models, other), (), (other,)),
        keys.private,
    )
    assert [each.split(":")[0] for each in house.wrong()] == ["routes"]
    shutil.rmtree(house.directory)
    assert [each.split(":")[0] for each in house.wrong()] == ["release", "routes"]


def test_a_release_of_another_unit_than_the_ledger_says(house: House) -> None:
    house.enter(Kind.NOTE)
    house.enter(Kind.QUARANTINED)
    other = "sha256:" + "8" * 64
    shutil.copytree(house.directory, house.workspace.releases / hex_of(other))
    house.enter(Kind.CANDIDATE, other)
    house.enter(Kind.AWAITING_APPROVAL, other)
    assert f"presented as {'8' * 64}" in house.wrong()[0]


def test_a_broken_ledger_proves_nothing_else(house: House) -> None:
    with sqlite3.connect(house.workspace.home / "ledger.db") as connection:
        connection.execute("UPDATE ledger SET actor = 'eve' WHERE seq = 3")
    found = audit(house.workspace)
    assert [(each.part, each.healthy) for each in found] == [("ledger", False)]
    assert "row 3 (approved" in found[0].message
    with pytest.raises(IntegrityError, match="row 3"):
        export_archive(house.workspace, house.workspace.home / "audit.tar")


def test_an_approval_that_nobody_signed_is_named(house: House) -> None:
    other = "sha256:" + "9" * 64
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED):
        house.enter(kind, other)
    wrong = house.wrong()
    assert [each.split(":")[0] for each in wrong] == ["release", "decision"]
    assert f"{other} approved" in wrong[1]


def test_nothing_has_happened_yet(tmp_path: Path) -> None:
    project = load_project(environ={"ASSAY_HOME": str(tmp_path / "home")})
    ledger = Ledger(project.ledger_url, Checkpoints(project.home))
    workspace = Workspace("default", project, FileStore(tmp_path / "store"), ledger)
    assert all(each.healthy for each in audit(workspace))
    with pytest.raises(DataError, match="nothing to export"):
        export_archive(workspace, tmp_path / "audit.tar")


def exported(house: House, target: Path, *, weights: bool = False) -> Path:
    file = target / "audit.tar"
    export_archive(house.workspace, file, weights=weights)
    with tarfile.open(file) as archive:
        archive.extractall(target / "out", filter="data")
    return target / "out"


def outsider(directory: Path) -> subprocess.CompletedProcess[str]:
    """Isolated, without site-packages: nothing of ours can be imported."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(directory / "check.py")], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("weights", [False, True])
def test_an_outsider_needs_python_and_openssl_alone(house: House, tmp_path: Path, weights: bool) -> None:
    found = outsider(exported(house, tmp_path / "x", weights=weights))
    assert found.returncode == 0, found.stderr
    assert "ledger: 4 rows, chain intact" in found.stdout
    assert "decisions: 1 signed votes, unaltered; 1 by the installation's key, verified" in found.stdout
    assert ("not in this archive: adapter/adapter_model.safetensors" in found.stdout) is not weights
    assert found.stdout.endswith("everything holds\n")


def test_the_same_state_gives_the_same_archive(house: House, tmp_path: Path) -> None:
    first, second = tmp_path / "1.tar", tmp_path / "2.tar"
    export_archive(house.workspace, first)
    export_archive(house.workspace, second)
    assert first.read_bytes() == second.read_bytes()


def drop_last_row(out: Path) -> None:
    rows = (out / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (out / "ledger.jsonl").write_bytes(b"".join(rows[:-1]))


def edit_row(out: Path) -> None:
    overwrite(out / "ledger.jsonl", lambda data: data.replace(b'"actor":"deploy"', b'"actor":"eve"', 1))


def edit_card(out: Path) -> None:
    overwrite(next((out / "releases").glob("*/card.html")), lambda data: data + b" ")


def edit_manifest(out: Path) -> None:
    overwrite(next((out / "releases").glob("*/release.json")), lambda data: data + b" ")


def edit_checkpoint(out: Path) -> None:
    bundle = json.loads((out / "checkpoint.json").read_bytes())
    signature = bundle["dsseEnvelope"]["signatures"][0]
    other = next((out / "releases").glob("*/adapter.sig"))
    signature["sig"] = json.loads(other.read_bytes())["dsseEnvelope"]["signatures"][0]["sig"]
    (out / "checkpoint.json").write_text(json.dumps(bundle))


def edit_vote(out: Path) -> None:
    for vote in (out / "decisions").iterdir():
        overwrite(vote, lambda data: data + b" ")


def other_key(out: Path) -> None:
    pair = ensure_key(out / "elsewhere")
    shutil.copyfile(pair.public, out / "keys" / "signing.pub")


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (drop_last_row, "its tail is missing"),
        (edit_row, "ledger row 2: previous"),
        (edit_card, "card.html: got"),
        (edit_manifest, "release.json: got"),
        (edit_checkpoint, "checkpoint.json: "),
        (other_key, "checkpoint.json: "),
        (edit_vote, "decisions/"),
        (lambda out: next((out / "decisions").iterdir()).unlink(), "No such file"),
        (lambda out: (out / "checkpoint.json").unlink(), "No such file"),
        (lambda out: (out / "ledger.jsonl").write_bytes(b""), "its tail is missing"),
        (lambda out: (out / "ledger.jsonl").write_bytes(b"[]\n"), "WRONG"),
    ],
)
def test_an_outsider_finds_what_was_altered(
    house: House, tmp_path: Path, alter: Callable[[Path], object], said: str
) -> None:
    out = exported(house, tmp_path / "x")
    alter(out)
    found = outsider(out)
    assert found.returncode == 1
    assert said in found.stderr, found.stderr
    assert "everything holds" not in found.stdout


def test_the_archive_covers_what_the_checkpoint_did_not(house: House, tmp_path: Path) -> None:
    Ledger(house.workspace.ledger.url).append(
        Kind.NOTE, project="triage", subject="x", actor="ada", reason="a kill left this one unsigned"
    )
    assert "1 newer entries are not signed yet" in audit(house.workspace)[1].message
    out = exported(house, tmp_path / "x")
    assert outsider(out).returncode == 0
    drop_last_row(out)
    assert outsider(out).returncode == 1
    assert (house.workspace.home / "audit" / NAME).stat().st_mode & 0o777 == 0o600


def test_after_a_rotation_everything_still_holds_and_the_archive_has_both_keys(
    house: House, tmp_path: Path
) -> None:
    old = rotate_key(house.workspace.home).old
    publish_routes(house.workspace, anew=True)
    house.enter(Kind.NOTE)
    assert house.wrong() == []
    out = exported(house, tmp_path / "x")
    found = outsider(out)
    assert found.returncode == 0, found.stderr
    (out / "keys" / "retired" / f"{hex_of(old)}.pub").unlink()
    assert "signed by none of the keys" in outsider(out).stderr


def test_after_a_compromise_the_releases_of_the_old_key_are_named(house: House) -> None:
    entries = house.workspace.ledger.intact()
    void_key(house.workspace.home, rotate_key(house.workspace.home).old)
    Checkpoints(house.workspace.home).restart(entries)
    (house.workspace.run / "routes.json").unlink()
    publish_routes(house.workspace)
    assert [each.split(":")[0] for each in house.wrong()] == ["release", "decision"]


def under_another_policy(house: House, tmp_path: Path, **changes: object) -> Workspace:
    policy = tmp_path / "trust.yaml"
    policy.write_text(yaml.safe_dump(yaml.safe_load(POLICY.read_text()) | changes))
    project = house.workspace.project.model_copy(update={"trust": policy})
    return replace(house.workspace, project=project)


def test_a_former_champion_of_an_earlier_trust_policy_is_still_whole(house: House, tmp_path: Path) -> None:
    later = under_another_policy(house, tmp_path, max_age_days=30)
    assert [each.part for each in audit(later) if not each.healthy] == ["release"]  # it is still champion
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION):
        house.enter(kind, "sha256:" + "b" * 64)
    publish_routes(house.workspace)
    found = [each for each in audit(later) if each.part == "release" and house.release in each.message]
    assert [each.healthy for each in found] == [True], found
    overwrite(house.directory / "adapter" / "adapter_model.safetensors", lambda data: data[:-1] + b"x")
    assert any("adapter_model" in each.message for each in audit(later) if not each.healthy)


def test_decisions_of_every_project_in_the_ledger_are_proven(house: House) -> None:
    other = "sha256:" + "b" * 64
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED):
        house.workspace.ledger.append(kind, project="sorting", subject=other, actor="eve", reason="test")
    assert [each.split(":")[0] for each in house.wrong()] == ["release", "decision"]
    assert f"{other} approved" in house.wrong()[1]


def test_a_trust_policy_that_cannot_be_read_is_a_finding(house: House, tmp_path: Path) -> None:
    broken = under_another_policy(house, tmp_path, public_keys=["absent.pub"])
    parts = [each.part for each in audit(broken) if not each.healthy]
    assert parts == ["release", "decision"]


def test_the_archive_has_the_keys_of_other_signers_that_the_policy_trusts(
    house: House, tmp_path: Path
) -> None:
    pair = ensure_key(tmp_path / "builder")
    shutil.copyfile(pair.public, tmp_path / "builder.pub")
    house.workspace = under_another_policy(house, tmp_path, public_keys=["builder.pub"])
    bundle = house.directory / "adapter.sig"
    statement, key = json.loads(bundle.read_bytes()), load_private_key(pair.private)
    payload = base64.b64decode(statement["dsseEnvelope"]["payload"])
    out = exported(house, tmp_path / "x")
    assert (out / "keys" / "trusted" / f"{hex_of(pair.key_id)}.pub").read_bytes() == pair.public.read_bytes()
    signed = out / "releases" / house.directory.name / "adapter.sig"
    signed.write_bytes(sign_statement(json.loads(payload), key))
    # By a key that is known, and yet not the file that the release names.
    assert "adapter.sig: got sha256:" in outsider(out).stderr
    (out / "keys" / "trusted" / f"{hex_of(pair.key_id)}.pub").unlink()
    assert "adapter.sig: signed by none of the keys" in outsider(out).stderr


def test_what_a_certificate_signed_is_named_and_not_taken_for_checked(house: House, tmp_path: Path) -> None:
    out = exported(house, tmp_path / "x")
    bundle = out / "releases" / house.directory.name / "release.sigstore.json"
    content = json.loads(bundle.read_bytes())
    content["verificationMaterial"] = {"certificate": {"rawBytes": ""}, "tlogEntries": []}
    bundle.write_text(json.dumps(content))
    found = outsider(out)
    assert found.returncode == 0, found.stderr
    assert "NOT CHECKED, signed with a certificate: release.sigstore.json" in found.stdout
    assert "everything holds" not in found.stdout
