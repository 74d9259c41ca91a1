"""Whether a directory holds exactly the files it should: names, kinds and modes, before a byte is hashed.

check_file_set(release, ["release.json", "adapter/adapter_config.json", …])     # VerificationError otherwise
"""

import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path

from infra.digest import walk_tree
from infra.refusal import Reason, VerificationError

_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH | stat.S_ISUID | stat.S_ISGID


def check_file_set(root: Path, expected: Collection[str]) -> None:
    """Raises VerificationError naming the first file or directory that should not be there, or is not."""
    present = walk_tree(root)
    for name in sorted(set(expected) - set(present)):
        raise VerificationError(Reason.FILE_MISSING, f"{name}: missing")
    for name in sorted(set(present) - set(expected)):
        raise VerificationError(Reason.FILE_UNEXPECTED, f"{name}: not expected here")
    directories = {str(parent) for name in expected for parent in Path(name).parents}
    _check_directories(root, directories)
    _check_modes(root, [*sorted(directories), *present])


def _check_directories(root: Path, expected: Collection[str]) -> None:
    for path, below, _ in os.walk(root):
        for name in below:
            relative = Path(path, name).relative_to(root)
            if str(relative) not in expected:
                raise VerificationError(Reason.FILE_UNEXPECTED, f"{relative.as_posix()}/: not expected here")


def _check_modes(root: Path, names: Sequence[str]) -> None:
    """Not everybody may write, and nothing in a release or base is a program."""
    for name in names:
        mode = (root / name).lstat().st_mode
        if mode & stat.S_IWOTH:
            problem = "can be written by everybody"
        elif stat.S_ISREG(mode) and mode & _EXECUTABLE:
            problem = "can be executed"
        else:
            continue
        raise VerificationError(Reason.MODE_UNSAFE, f"{name}: {problem} (mode {stat.S_IMODE(mode):04o})")
