"""Which checks there are: the module of each that declares `CHECK`, by name, in the order of starting.

check = load_check("security")       # imported here and nowhere before
"""

from importlib import import_module

from infra.config import Project
from infra.config.lookup import setting_value
from infra.errors import ConfigError
from tasks.validate.check import Check

CHECKS: dict[str, str] = {
    "redteam": "tasks.validate.redteam.check",
    "benchmark": "tasks.validate.benchmark.check",
    "general_ability": "tasks.validate.benchmark.ability",
    "fairness": "tasks.validate.fairness.check",
    "review": "tasks.validate.review.check",
    "performance": "tasks.validate.benchmark.speed",
    "security": "tasks.validate.security.check",
}
ON_DEMAND: dict[str, tuple[str, str]] = {
    "garak": ("tasks.validate.garak.check", "garak.enabled"),
}
"""Checks that take minutes or need an environment of their own: module, and the setting that asks for them.

The gate of such a check names the same setting in `only_with`: asked for and not measured, it blocks.
"""


def checks_of(project: Project) -> dict[str, str]:
    """The checks of a project's candidates: all of the registry, and those that its settings ask for."""
    asked = {
        name: module
        for name, (module, setting) in ON_DEMAND.items()
        if setting_value(project, setting) is True
    }
    return CHECKS | asked


def load_check(name: str, module: str) -> Check:
    """The check that `module` declares; raises ConfigError unless it is one of that name."""
    check = getattr(import_module(module), "CHECK", None)
    if not isinstance(check, Check) or check.name != name:
        got = f"check {check.name!r}" if isinstance(check, Check) else f"{type(check).__name__}"
        raise ConfigError(f"{module}.CHECK: got {got}, expected the check {name!r}")
    return check
