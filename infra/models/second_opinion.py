"""What picklescan finds in files that could run code: named beside the refusal, never a reason to accept.

second_opinion(Path("base"))      # ("pytorch_model.bin: dangerous posix.system",)
"""

from pathlib import Path

_FORMATS = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".npy", ".npz", ".zip")
_MOST_NAMED = 5


def second_opinion(directory: Path) -> tuple[str, ...]:
    """One line for each pickle-like file below `directory`; files are read, never loaded."""
    found = []
    for file in sorted(directory.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.suffix.lower() in _FORMATS:
            found.append(f"{file.relative_to(directory).as_posix()}: {_finding(file)}")
    return tuple(found)


def _finding(file: Path) -> str:
    from picklescan.scanner import SafetyLevel, scan_file_path

    try:
        result = scan_file_path(str(file))
    except Exception as error:  # noqa: BLE001  # a scanner that a file can crash must not end the check
        return f"picklescan failed ({type(error).__name__})"
    named = [f"{each.module}.{each.name}" for each in result.globals if each.safety == SafetyLevel.Dangerous]
    if named:
        return f"picklescan: dangerous {', '.join(sorted(set(named))[:_MOST_NAMED])}"
    if result.issues_count or result.scan_err:
        return "picklescan: cannot be read as what it claims to be"
    return "picklescan names no dangerous import, which proves nothing"
