"""Gates: from evidence to a verdict by declared rules, fail closed, each explained in one line.

report = judge(load_gates(file), evidence, requirements=requirements, has_champion=True, today=today)
report.headline    # "accuracy-floor: 13.0 % accuracy, 95% CI [10.1, 16.4], limit lower >= 50 %, …: fails"
"""

from tasks.validate.gates.judge import judge
from tasks.validate.gates.policy import GatePolicy, load_gates
from tasks.validate.gates.rule import GateRule

__all__ = ["GatePolicy", "GateRule", "judge", "load_gates"]
