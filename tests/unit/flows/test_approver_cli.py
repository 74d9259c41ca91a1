"""`assay approver` makes and lists what proves who decides; `assay release approve` signs with it."""

import io
import json
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli.main import app
from infra.digest import hex_of
from infra.signing import ensure_key, load_private_key
from infra.signing.signer import KeySigner
from infra.workspace import open_workspace
from tasks.deploy import approval
from tests.conftest import Configure
from tests.unit.tasks.deploy.samples import make_sample, package

UNIT = "sha256:" + "c" * 64


@pytest.fixture(autouse=True)
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configure: Configure) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return configure()


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.output


def listed(configs: Path, name: str = "ada", *, totp: bool = False, **rule: object) -> dict[str, str]:
    """The approver as `add` made them, written into approvers.yaml."""
    command = ["approver", "add", name, *(["--totp"] if totp else []), "--json"]
    made: dict[str, str] = json.loads(CliRunner().invoke(app, command).stdout)
    entry = {"roles": ["release-manager"], "key": made["public"]}
    entry |= {"totp": made["totp"]} if totp else {}
    file = configs / "approvers.yaml"
    content = yaml.safe_load(file.read_text())
    content["approvers"][name] = entry
    file.write_text(yaml.safe_dump(content | {"default": rule}))
    return made


@pytest.fixture
def release(tmp_path: Path) -> str:
    """A packaged release that waits under profile production."""
    workspace = open_workspace("default", "production")
    sample = make_sample(workspace.store, tmp_path)
    made = package(
        sample,
        store=workspace.store,
        releases_dir=workspace.releases,
        signer=KeySigner(load_private_key(ensure_key(workspace.home).private)),
        trust=workspace.trust,
    )
    approval.request_approval(
        workspace, made.digest, sample.report, unit=made.unit, started_by=["night"], trained_by="night"
    )
    return made.digest


def test_a_key_pair_is_made_and_the_lines_to_write_are_printed(tmp_path: Path) -> None:
    out = run("approver", "add", "ada")
    home = tmp_path / "home" / "keys" / "approvers" / "ada"
    lines = yaml.safe_load(out.split("\n", 1)[1])
    assert lines == {"approvers": {"ada": {"roles": ["release-manager"], "key": str(home / "signing.pub")}}}
    assert (home / "signing.pem").stat().st_mode & 0o777 == 0o600
    assert "exists" in run("approver", "add", "ada", code=1)


@pytest.mark.parametrize("name", ["Ada", "../ada", "policy:auto", "a b", ""])
@pytest.mark.parametrize("command", ["add", "rotate"])
def test_names_that_are_none(tmp_path: Path, command: str, name: str) -> None:
    assert "is no name" in run("approver", command, name, code=2)
    assert not (tmp_path / "home" / "keys" / "approvers").exists()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_seed_reaches_no_pipe(tmp_path: Path, as_json: bool) -> None:
    out = run("approver", "add", "ada", "--no-key", "--totp", *(["--json"] if as_json else []))
    file = tmp_path / "home" / "keys" / "approvers" / "ada" / "totp"
    assert file.read_text() not in out
    assert "otpauth" not in out
    assert f"file:{file}" in out
    assert file.stat().st_mode & 0o777 == 0o600


def test_on_a_terminal_the_seed_is_shown_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    from flows.cli import approver

    shown = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", shown)
        approver.add("ada", key=False, totp=True)
    seed = (tmp_path / "home" / "keys" / "approvers" / "ada" / "totp").read_text()
    text = shown.getvalue()
    assert f"otpauth://totp/Assay:ada?secret={seed}&issuer=Assay" in text
    assert "█" in text or "▀" in text


def test_a_seed_is_rotated(tmp_path: Path) -> None:
    run("approver", "add", "ada", "--totp")
    file = tmp_path / "home" / "keys" / "approvers" / "ada" / "totp"
    before = file.read_text()
    assert before not in run("approver", "rotate", "ada")
    assert file.read_text() != before
    assert "no seed" in run("approver", "rotate", "bob", code=2)


def test_who_may_decide_is_listed(configs: Path) -> None:
    assert "no approver in" in run("approver", "list", "--profile", "production")
    listed(configs, totp=True, quorum=2)
    out = run("approver", "list", "--profile", "production")
    assert "2 of 1 approve; four eyes" in out
    assert "cannot be met" in out
    assert "release-manager" in out
    assert "key, totp" in out
    assert "nobody is asked" in run("approver", "list")


def test_a_signed_approval_from_the_command_line(configs: Path, release: str) -> None:
    listed(configs)
    out = run("release", "approve", hex_of(release)[:12], "--reason", "looked at it", "--as", "ada")
    assert "approved by ada; its deploy run does not go on by itself" in out
    assert "assay up" in out
    proven = run("audit", "decisions", "--profile", "production")
    assert "proven" in proven
    assert "ada by key; rules" in proven
    history = json.loads(run("release", "show", release, "--json"))["history"]
    assert [(each["kind"], each["actor"]) for each in history] == [
        ("candidate", "deploy"),
        ("awaiting-approval", "deploy"),
        ("note", "ada"),
        ("approved", "ada"),
    ]


def test_a_rejection_with_a_key_of_ones_own(configs: Path, release: str, tmp_path: Path) -> None:
    made = listed(configs)
    key = Path(made["private"]).rename(tmp_path / "elsewhere.pem")
    options = ("--reason", "not good enough", "--as", "ada")
    assert "no private key of 'ada'" in run("release", "reject", release, *options, code=2)
    assert "rejected by ada" in run("release", "reject", release, *options, "--key", str(key))
    assert "does not wait" in run("release", "approve", release, *options, "--key", str(key), code=1)


def test_one_of_two_approvals_waits_for_the_other(configs: Path, release: str) -> None:
    listed(configs, quorum=2)
    listed(configs, "grace", quorum=2)
    out = run("release", "approve", release, "--reason", "looked at it", "--as", "ada")
    assert "1 of 2 approvals" in out
    assert "approved by ada, grace" in run(
        "release", "approve", release, "--reason", "me too", "--as", "grace"
    )


def test_refusals_exit_3_and_name_the_reason(configs: Path, release: str) -> None:
    options = ("--reason", "looked at it", "--as", "bob")
    out = run("release", "approve", release, *options, code=3)
    assert "nobody may decide" in out
    assert "roles: [release-manager]" in out
    listed(configs)
    run("approver", "add", "bob")
    assert "'bob' is not an approver" in run("release", "approve", release, *options, code=3)


@pytest.mark.parametrize("name", ["release.json", "card.html", "card.json"])
def test_a_release_whose_files_are_not_what_is_asked_about(configs: Path, release: str, name: str) -> None:
    listed(configs)
    workspace = open_workspace("default", "production")
    file = workspace.releases / hex_of(release) / name
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"pass", b"Pass"))
    out = run("release", "approve", release, "--reason", "looked at it", "--as", "ada", code=1)
    assert name in out
    assert workspace.state().of(release) == "awaiting-approval"


def test_the_profile_that_asked_decides_about_the_rules(configs: Path, release: str) -> None:
    """`--profile` says embedded here, which asks nobody: the release was asked about under production."""
    listed(configs)
    run("release", "approve", release, "--reason", "looked at it", "--as", "ada", "--profile", "embedded")
    entry = open_workspace("default", "production").ledger.entries()[-1]
    assert (entry.details["profile"], entry.details["policy"]) == ("production", "person")
