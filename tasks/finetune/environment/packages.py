"""Installed distributions against the lock: what trains is what was reviewed.

found = installed()                                         # {"torch": "2.13.0+cpu", …}
locked, absent = check_lock(lock_text, found)               # TrainingError names what differs
"""

import re
from collections.abc import Mapping

from infra.errors import TrainingError

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$")
_MOST_NAMED = 5


def installed() -> dict[str, str]:
    """Version of every installed distribution, by its normalised name."""
    from importlib.metadata import distributions

    found: dict[str, str] = {}
    for each in distributions():
        name = each.metadata["Name"]
        if name:  # the first on the path is the one that is imported
            found.setdefault(_normal(name), each.version)
    return dict(sorted(found.items()))


def check_lock(lock: str, found: Mapping[str, str]) -> tuple[int, int]:
    """How many locked distributions are installed in that version, and how many are not installed.

    A distribution that is absent may belong to an extra or to the tests; one of another version is what
    nobody reviewed: TrainingError. Local parts of versions (`+cpu`) do not count.
    """
    pins = _pins(lock)
    if not pins:
        raise TrainingError("requirements.lock: got no pinned version", hint="write it again: make lock")
    differ = [
        f"{name}: got {found[name]}, locked is {version}"
        for name, version in pins.items()
        if name in found and _public(found[name]) != _public(version)
    ]
    if differ:
        more = f" (and {len(differ) - _MOST_NAMED} more)" if len(differ) > _MOST_NAMED else ""
        raise TrainingError(
            f"installed packages are not the locked ones: {'; '.join(differ[:_MOST_NAMED])}{more}",
            hint="install the lock (make setup), or write it again after a review (make lock)",
        )
    absent = sum(name not in found for name in pins)
    return len(pins) - absent, absent


def _pins(lock: str) -> dict[str, str]:
    """`{name: version}` of the lines `name==version ; marker` whose marker holds here."""
    from packaging.markers import Marker

    pins: dict[str, str] = {}
    for line in lock.splitlines():
        match = _PIN.match(line)
        if match and (match[3] is None or Marker(match[3]).evaluate()):
            pins[_normal(match[1])] = match[2]
    return pins


def _normal(name: str) -> str:
    """The normalised name of the packaging specifications (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _public(version: str) -> str:
    return version.partition("+")[0]
