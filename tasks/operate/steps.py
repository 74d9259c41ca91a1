"""Operate's work as Prefect tasks: read the window, compare, publish the report, alert."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra import atomic
from infra.steps import step
from infra.workspace import Workspace
from tasks.operate.monitoring import compare, render_report
from tasks.operate.traffic import read_window
from tasks.records import OperateReport, TrafficWindow, Verdict

if TYPE_CHECKING:
    from infra.tracking import PhaseRun


@step
def read_traffic(workspace: Workspace) -> TrafficWindow:
    """The last window of requests for this project, from the gateway's own log."""
    end = datetime.now(UTC)
    start = end - timedelta(seconds=workspace.project.operate.window_s)
    return read_window(workspace.home / "audit", workspace.project.name, start, end)


@step
def compare_with_limits(workspace: Workspace, window: TrafficWindow) -> OperateReport:
    """The window against the configured limits."""
    project = workspace.project
    return compare(window, project.operate, project=project.name, champion=workspace.state().champion)


@step
def publish_report(workspace: Workspace, run: "PhaseRun", report: OperateReport) -> str:
    """Write the report, log it, alert when a limit is exceeded; returns the report's path."""
    from infra.notify import Event, notify

    name = f"{report.project}-{report.window.end[:19].replace(':', '')}.html"
    file = workspace.home / "reports" / name
    atomic.write_text(file, render_report(report))
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
