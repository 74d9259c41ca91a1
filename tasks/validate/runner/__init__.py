"""Runs the checks of a candidate, each in a process of its own; nothing that goes wrong in one is a pass.

outcome = run_check(workspace, candidate, "security", "tasks.validate.security.check")
outcome.evidence or outcome.failure
"""

from tasks.validate.runner.outcome import Outcome
from tasks.validate.runner.run import run_check

__all__ = ["Outcome", "run_check"]
