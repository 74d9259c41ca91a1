"""`assay waiver`: nothing that would not count is signed, every waiver is in the ledger."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from infra.digest import digest_bytes
from infra.ledger import Kind
from infra.workspace import open_workspace
from tasks.validate.waivers import waiver_directory, waivers_of
from tests.conftest import Configure

UNIT = digest_bytes(b"unit")
TODAY = datetime.now(UTC).date()
GATES = """gates:
  - {name: floor, description: why, metric: accuracy, statistic: lower, op: ">=", limit: 0.5, min_n: 9}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configure: Configure) -> Path:
    (tmp_path / "gates.yaml").write_text(GATES)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    configure(gates=str(tmp_path / "gates.yaml"))
    return tmp_path / "home"


@pytest.fixture
def ada(home: Path, configure: Configure) -> Path:
    """Ada's private key on this machine, its public half listed."""
    made = json.loads(run("waiver", "key", "ada", "--json"))
    configure(waivers={"owners": {"ada": made["public"]}})
    return Path(made["private"])


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.output


def sign(*more: str, gate: str = "floor", until: str | None = None, code: int = 0) -> str:
    day = until or (TODAY + timedelta(days=7)).isoformat()
    options = {"--candidate": UNIT, "--owner": "ada", "--reason": "few rows this week", "--until": day}
    options |= dict(zip(more[::2], more[1::2], strict=True))
    return run("waiver", "sign", gate, *(word for pair in options.items() for word in pair), code=code)


def test_an_owner_may_keep_the_key_under_a_passphrase(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADA_PASSPHRASE", "correct horse battery staple")
    option = ("--passphrase", "env:ADA_PASSPHRASE")
    made = json.loads(run("waiver", "key", "ada", *option, "--json"))
    configure(waivers={"owners": {"ada": made["public"]}})
    assert "under a passphrase" in sign(code=1)
    monkeypatch.setenv("ADA_PASSPHRASE", "not-her-passphrase")
    assert "does not open the key" in sign(*option, code=1)
    monkeypatch.setenv("ADA_PASSPHRASE", "correct horse battery staple")
    assert "ada waives floor" in sign(*option)
    assert len(json.loads(run("waiver", "list", "--json"))["waivers"]) == 1


@pytest.mark.usefixtures("ada")
def test_a_waiver_is_signed_listed_and_in_the_ledger() -> None:
    assert "ada waives floor" in sign()
    (row,) = json.loads(run("waiver", "list", "--json"))["waivers"]
    assert (row["candidate"], row["gate"], row["owner"], row["expired"]) == (UNIT, "floor", "ada", False)
    (entry,) = open_workspace().ledger.entries()
    assert (entry.kind, entry.subject, entry.actor, entry.reason) == (
        Kind.NOTE,
        UNIT,
        "ada",
        "few rows this week",
    )
    file = waiver_directory(open_workspace()) / entry.details["file"]
    assert digest_bytes(file.read_bytes()) == entry.details["digest"]
    assert "ada" in run("waiver", "list")


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("more", "gate", "until", "reason"),
    [
        ((), "flor", None, "no gate 'flor'"),
        (("--owner", "bob"), "floor", None, "may not waive"),
        (("--reason", "ok"), "floor", None, "reason"),
        (("--reason", "two\nlines"), "floor", None, "one line"),
        ((), "floor", "2020-01-01", "does not count"),
        ((), "floor", "2099-01-01", "does not count"),
        ((), "floor", "tomorrow", "tomorrow"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    more: tuple[str, ...], gate: str, until: str | None, reason: str
) -> None:
    extra = ("--key", str(Path(open_workspace().home / "keys/owners/ada/signing.pem")))
    assert reason in sign(*more, *extra, gate=gate, until=until, code=2)
    workspace = open_workspace()
    assert workspace.ledger.entries() == []
    assert not waiver_directory(workspace).exists()


def test_an_owner_without_a_key_cannot_sign() -> None:
    assert "private key cannot be used" in sign(code=1)


def test_a_key_that_nobody_listed_cannot_sign() -> None:
    run("waiver", "key", "ada")
    assert "'ada' may not waive: the configuration lists nobody" in sign(code=2)


def test_a_name_that_is_a_path_is_refused(home: Path) -> None:
    assert "is no name" in run("waiver", "key", "../signing", code=2)
    assert not (home / "keys").exists()


@pytest.mark.usefixtures("ada")
def test_a_key_is_never_replaced() -> None:
    assert "never replaced" in run("waiver", "key", "ada", code=1)


@pytest.mark.usefixtures("ada")
def test_a_candidate_is_named_by_its_first_digits() -> None:
    assert "0 candidates start with" in sign("--candidate", UNIT[7:19], code=1)
    open_workspace().ledger.append(
        Kind.BLOCKED, project=open_workspace().project.name, subject=UNIT, actor="validate", reason="blocked"
    )
    assert "six digits" in sign("--candidate", UNIT[7:9], code=1)
    assert UNIT in sign("--candidate", UNIT[7:19])


@pytest.mark.usefixtures("ada")
def test_an_altered_file_is_listed_as_what_it_is() -> None:
    sign()
    workspace = open_workspace()
    (file,) = waiver_directory(workspace).glob("*.json")
    document = json.loads(file.read_text())
    document["dsseEnvelope"]["payload"] = document["dsseEnvelope"]["payload"][:-4] + "AAAA"
    file.write_text(json.dumps(document))
    assert waivers_of(workspace, TODAY).waivers == {}
    assert "does not count" in run("waiver", "list")
    listed = json.loads(run("waiver", "list", "--json"))
    assert listed["waivers"] == []
    assert listed["refused"][0]["file"] == file.name


def test_no_waivers() -> None:
    assert run("waiver", "list").strip() == "no waivers"
