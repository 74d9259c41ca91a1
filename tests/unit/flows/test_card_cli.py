"""`assay card open`: the card of a release or of a blocked candidate; opens nothing where none looks."""

import json
import webbrowser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.card import find_card
from flows.cli.main import app
from flows.cli.release import resolve
from infra.digest import digest_bytes, hex_of
from infra.errors import DataError
from infra.ledger import Kind
from infra.workspace import Workspace, open_workspace
from tasks.deploy.card.candidate import candidate_page

UNIT, OTHER, RELEASE = (digest_bytes(name) for name in (b"unit", b"other", b"release"))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("nobody asked for a browser"))
    opened = open_workspace("default", "embedded")
    enter(opened, Kind.CANDIDATE, RELEASE, {"unit": UNIT})
    page = opened.releases / hex_of(RELEASE) / "card.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>release</p>")
    return opened


def enter(workspace: Workspace, kind: Kind, subject: str, details: dict[str, str] | None = None) -> None:
    workspace.ledger.append(
        kind, project=workspace.project.name, subject=subject, actor="test", reason="test", details=details
    )


def block(workspace: Workspace, unit: str) -> Path:
    enter(workspace, Kind.BLOCKED, unit)
    page = candidate_page(workspace.home, unit)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("<p>blocked</p>")
    return page


def test_the_newest_is_the_default(workspace: Workspace) -> None:
    assert find_card(workspace, None).subject == RELEASE
    page = block(workspace, OTHER)
    found = find_card(workspace, None)
    assert (found.subject, found.state, found.page) == (OTHER, "blocked", page)


@pytest.mark.parametrize("name", [RELEASE, hex_of(RELEASE)[:8], UNIT, hex_of(UNIT)[:12]])
def test_a_release_is_found_by_its_own_name_and_by_its_unit(workspace: Workspace, name: str) -> None:
    assert find_card(workspace, name).page == workspace.releases / hex_of(RELEASE) / "card.html"


def test_the_newest_release_of_a_unit_is_meant(workspace: Workspace) -> None:
    newer = digest_bytes(b"newer")
    enter(workspace, Kind.CANDIDATE, newer, {"unit": UNIT})
    assert resolve(workspace.state(), hex_of(UNIT)[:12]) == newer


@pytest.mark.parametrize("name", ["", "sha256:", "zz", "champion", digest_bytes(b"nobody")])
def test_what_is_unknown_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(DataError, match="unknown release"):
        find_card(workspace, name)


def test_no_release_at_all_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "empty"))
    done = CliRunner().invoke(app, ["card", "open", "--print"])
    assert done.exit_code == DataError("").exit_code
    assert "assay run lifecycle" in done.output


def test_a_candidate_without_a_card_is_said_to_have_none(workspace: Workspace) -> None:
    enter(workspace, Kind.BLOCKED, OTHER)
    with pytest.raises(DataError, match="has no card"):
        find_card(workspace, OTHER)


def test_it_prints_the_path_and_opens_nothing_without_a_terminal(workspace: Workspace) -> None:
    page = str(workspace.releases / hex_of(RELEASE) / "card.html")
    for arguments in ([], ["--print"]):
        done = CliRunner().invoke(app, ["card", "open", *arguments])
        assert (done.exit_code, done.output.strip()) == (0, page)
    done = CliRunner().invoke(app, ["card", "open", "--json"])
    assert json.loads(done.output) == {"subject": RELEASE, "state": "candidate", "card": page}


def test_a_pdf_without_a_browser_is_refused(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.pages.browser.find_browser", lambda: None)
    target = tmp_path / "card.pdf"
    done = CliRunner().invoke(app, ["card", "open", "--pdf", str(target)])
    assert done.exit_code == 1
    assert "no Chromium was found" in done.output
    assert not target.exists()


def test_a_browser_that_prints_nothing_is_refused(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.pages.browser.find_browser", lambda: "/bin/true")
    done = CliRunner().invoke(app, ["card", "open", "--pdf", str(tmp_path / "card.pdf")])
    assert done.exit_code == 1
    assert "wrote no PDF" in done.output
