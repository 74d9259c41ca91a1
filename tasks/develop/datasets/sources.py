"""The one door to labelled text, whatever its source.

found = read_rows(project.data, project.root)
found.rows, found.dropped, found.notice
"""

from pathlib import Path

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets.attack import read_attack
from tasks.develop.datasets.files import read_files
from tasks.develop.datasets.rows import SourceRows
from tasks.develop.datasets.weakness import read_weaknesses


def read_rows(data: DataSettings, root: Path) -> SourceRows:
    """Rows as the source holds them; relative paths start at `root`. Raises DataError."""
    if data.source == "attack-stix":
        found = read_attack(data)
    elif data.source == "cwe":
        found = read_weaknesses(data)
    else:
        found = read_files(data, root)
    if not found.rows:
        raise DataError(f"{found.source}: no usable rows", hint=f"dropped: {found.dropped}")
    return found
