"""What the operating system says about this process: user, limits, code version.

limits(threads=2), user(), code_version(REPOSITORY)
"""

import getpass
import math
import os
import resource
import shutil
import subprocess
from pathlib import Path

from infra.config.environment import git_environment
from tasks.records.environment import Limits

UNKNOWN = "unknown"
_GIT_S = 20
_CGROUPS = Path("/sys/fs/cgroup")


def user() -> tuple[str, int]:
    """Name and uid of who trains; a uid without a name (in a container) is its own name."""
    uid = os.getuid()
    try:
        return getpass.getuser(), uid
    except (OSError, KeyError):
        return str(uid), uid


def limits(threads: int, cgroups: Path = _CGROUPS) -> Limits:
    """What this process may use, by resource limits, control group and scheduler."""
    memory = [_soft(resource.RLIMIT_AS), _cgroup_memory(cgroups)]
    known = [value for value in memory if value is not None]
    return Limits(
        memory_bytes=min(known) if known else None,
        cpus=_cgroup_cpus(cgroups),
        affinity=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        threads=threads,
        open_files=_soft(resource.RLIMIT_NOFILE),
        processes=_soft(resource.RLIMIT_NPROC),
        core_bytes=_soft(resource.RLIMIT_CORE),
    )


def code_version(root: Path) -> tuple[str, bool | None]:
    """Git commit of the code in `root` and whether it was changed since; unknown outside of a repository."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():  # a repository around an installed package is not ours
        return UNKNOWN, None
    commit = _git(git, root, "rev-parse", "HEAD")
    changes = _git(git, root, "status", "--porcelain")
    if not commit or changes is None:
        return commit or UNKNOWN, None
    return commit, bool(changes)


def _git(git: str, root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            [git, "-C", str(root), *arguments],
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def _soft(kind: int) -> int | None:
    soft, _ = resource.getrlimit(kind)
    return None if soft == resource.RLIM_INFINITY else soft


def _cgroup_memory(root: Path) -> int | None:
    """Version 2 (memory.max), or version 1, which writes a huge number instead of `max`."""
    text = _read(root / "memory.max") or _read(root / "memory" / "memory.limit_in_bytes")
    return int(text) if text and text.isdigit() and int(text) < 1 << 60 else None


def _cgroup_cpus(root: Path) -> float | None:
    quota, _, period = (_read(root / "cpu.max") or "max").partition(" ")
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None
    cpus = int(quota) / int(period)
    return round(cpus, 3) if math.isfinite(cpus) else None


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
