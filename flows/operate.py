"""Operate: the gateway's own request log and metrics against their limits, a report, an alert."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.parameters import ProfileName, ProjectName
from flows.phase import phase
from tasks.operate import steps
from tasks.records import OperateReport, Verdict


@flow(name="operate", description=__doc__, flow_run_name="operate-{project}-{profile}")
def operate(project: ProjectName = "default", profile: ProfileName = "embedded") -> OperateReport | State:
    """Look at the last window of traffic; ends in the state Breached when a limit is exceeded."""
    with phase("operate", project, profile, lock="operate") as current:
        traffic = steps.read_traffic(current.workspace)
        report = steps.compare_with_limits(current.workspace, traffic)
        steps.publish_report(current.workspace, current.run, report, traffic)
        if report.verdict == Verdict.FAIL:
            return Failed(name="Breached", message=steps.headline(report))
        return report
