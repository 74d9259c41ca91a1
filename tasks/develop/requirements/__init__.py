"""Security requirements: threats → controls → the gate, setting, code or test that proves each control.

requirements = load_requirements(project, gate_metrics(project))

Nothing is taken on trust: a control's gate must exist and judge the named metric, its setting must have a
value that puts it in force, its code and its test must be there. A threat that nothing is done about needs a
waiver with an owner and an end.
"""

from tasks.develop.requirements.load import (
    check_requirements,
    gate_metrics,
    load_requirements,
    requirements_document,
)

__all__ = ["check_requirements", "gate_metrics", "load_requirements", "requirements_document"]
