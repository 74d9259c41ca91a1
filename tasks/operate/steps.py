"""Operate's work as Prefect tasks: read the window, compare, publish the report, alert."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra import atomic
from infra.ledger import Kind
from infra.steps import step
from infra.workspace import Workspace
from tasks.operate.monitoring import operate_report
from tasks.operate.report import render_report
from tasks.operate.traffic import Traffic
from tasks.operate.traffic import read_traffic as read_log
from tasks.records import OperateReport, Verdict

if TYPE_CHECKING:
    from infra.tracking import PhaseRun


@step
def read_traffic(workspace: Workspace) -> Traffic:
    """The last window of requests for this project, from the gateway's own log."""
    end = datetime.now(UTC)
    start = end - timedelta(seconds=workspace.project.operate.window_s)
    return read_log(workspace.home / "audit", model=workspace.project.name, start=start, end=end)


@step
def compare_with_limits(workspace: Workspace, traffic: Traffic) -> OperateReport:
    """The window against the configured limits."""
    project = workspace.project
    state = workspace.state()
    served = {e.subject for e in workspace.ledger.entries() if e.kind == Kind.CHAMPION}
    return operate_report(project.name, traffic, project.operate, champion=state.champion, served=served)


@step
def publish_report(workspace: Workspace, run: "PhaseRun", report: OperateReport, traffic: Traffic) -> str:
    """Write the report, log it, alert when a limit is exceeded; returns the report's path."""
    from infra.notify import Event, notify

    name = f"{report.project}-{report.window.end[:19].replace(':', '')}.html"
    file = workspace.home / "reports" / name
    atomic.write_text(file, render_report(report, traffic))
    counts = {
        "requests": report.window.requests,
        "errors": report.window.errors,
        "blocked": report.window.blocked,
    }
    run.metrics({key: float(value) for key, value in counts.items()})
    run.params({"verdict": report.verdict.value})
    run.artifact("operate.json", report.model_dump(mode="json"))
    if report.verdict == Verdict.FAIL:
        notify(
            workspace.project.notify.webhook,
            Event.now(
                "operate.breached", report.project, "Limit exceeded", headline(report), "critical", str(file)
            ),
        )
    return str(file)


def headline(report: OperateReport) -> str:
    """The first limit that is exceeded, or that all hold."""
    against = [limit.message for limit in report.limits if limit.verdict != Verdict.PASS]
    return against[0] if against else "all limits hold"
