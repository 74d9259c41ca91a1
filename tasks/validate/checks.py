"""Which checks there are: the module of each that declares `CHECK`, by name, in the order of starting.

check = load_check("security")       # imported here and nowhere before
"""

from importlib import import_module

from infra.errors import ConfigError
from tasks.validate.check import Check

CHECKS: dict[str, str] = {
    "benchmark": "tasks.validate.benchmark.check",
    "general_ability": "tasks.validate.benchmark.ability",
    "performance": "tasks.validate.benchmark.speed",
}


def load_check(name: str, module: str) -> Check:
    """The check that `module` declares; raises ConfigError unless it is one of that name."""
    check = getattr(import_module(module), "CHECK", None)
    if not isinstance(check, Check) or check.name != name:
        got = f"check {check.name!r}" if isinstance(check, Check) else f"{type(check).__name__}"
        raise ConfigError(f"{module}.CHECK: got {got}, expected the check {name!r}")
    return check
