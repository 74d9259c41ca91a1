"""The report says what is open; the page escapes and draws; the program for pytm is Python."""

import ast
import html.parser
from pathlib import Path

from typer.testing import CliRunner

from flows.cli.threats import app
from tasks.develop.requirements import check_requirements
from tasks.develop.requirements.diagram import threat_diagram
from tasks.develop.requirements.page import threats_page
from tasks.develop.requirements.pytm import pytm_program
from tasks.develop.requirements.report import as_text, threat_report
from tests.unit.tasks.develop.requirements.models import GATES, GOOD, TODAY, project_with, with_threat


def test_an_open_threat_is_called_open(tmp_path: Path) -> None:
    content = with_threat("waiver: {reason: Old, owner: Ada, expires: 2026-12-30}")
    project = project_with(tmp_path, content.replace("::Ledger", "::Lodger"))
    model, problems = check_requirements(project, GATES, today=TODAY)
    report = threat_report(project, model, problems)
    assert {each["key"]: each["state"] for each in report["threats"]} == {
        "poisoning": "open",
        "other": "until 2026-12-30",
    }
    assert [each["key"] for each in report["controls"] if not each["holds"]] == ["ledger"]
    assert report["headline"] == "2 threats, 3 controls, 1 waived or accepted: 1 to mend"
    assert "infra/ledger.py defines no Lodger" in as_text(report)
    page = threats_page(model, report)
    assert "NOT IN FORCE" in page
    assert "Ada: Old" in page


def test_the_page_escapes_what_it_shows(tmp_path: Path) -> None:
    project = project_with(tmp_path, GOOD.replace("title: Source,", "title: <script>x</script>,"))
    model, problems = check_requirements(project, GATES, today=TODAY)
    page = threats_page(model, threat_report(project, model, problems))
    assert "<script" not in page
    assert "IN FORCE" in page
    html.parser.HTMLParser().feed(page)


def test_only_crossing_flows_are_coloured(tmp_path: Path) -> None:
    model, _ = check_requirements(project_with(tmp_path, GOOD), GATES, today=TODAY)
    assert [flow.key for flow in model.crossing()] == ["fetch"]
    drawn = threat_diagram(model)
    assert drawn.count('style="fill:none;stroke:var(--ours)') == 1
    assert drawn.count('style="fill:none;stroke:var(--soft)') == 1
    assert drawn == threat_diagram(model)


def test_the_program_for_pytm_is_python(tmp_path: Path) -> None:
    model, _ = check_requirements(project_with(tmp_path, GOOD), GATES, today=TODAY)
    source = pytm_program(model, 'A "title" \\ with quotes')
    tree = ast.parse(source)
    assigned = {
        t.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for t in node.targets
        if isinstance(t, ast.Name)
    }
    assert {"e_fetch_flow", "e_rows_data", "e_inside_boundary", "e_source"} <= assigned


def test_commands(tmp_path: Path) -> None:
    runner = CliRunner(env={"ASSAY_HOME": str(tmp_path / "home")})
    page, program = tmp_path / "threats.html", tmp_path / "threats.py"
    done = runner.invoke(app, ["report", "--html", str(page), "--pytm", str(program), "--json"])
    assert done.exit_code == 0, done.output
    assert "<svg" in page.read_text()
    ast.parse(program.read_text())
    assert runner.invoke(app, ["check"]).exit_code == 0
    assert "prompt_injection" in runner.invoke(app, ["list"]).output
    assert runner.invoke(app, ["check", "--project", "absent"]).exit_code == 2
