"""Whether the files of base and adapter are what the candidate names, and can be loaded without running code.

file_findings(store, candidate)
"""

from collections.abc import Callable
from pathlib import Path

from infra.errors import AssayError
from infra.models.safety import check_base_files, check_model_files
from infra.models.second_opinion import second_opinion
from infra.store import Store
from tasks.records import Candidate
from tasks.validate.finding import Finding


def file_findings(store: Store, candidate: Candidate) -> tuple[Finding, ...]:
    """One finding for the base and one for the adapter; every byte is hashed."""
    parts: tuple[tuple[str, str, Callable[[Path], None]], ...] = (
        ("files of the base", candidate.base.digest, check_base_files),
        ("files of the adapter", candidate.adapter.digest, check_model_files),
    )
    return tuple(
        Finding(name=name, proofs={"files": _scan(store, digest, check)}) for name, digest, check in parts
    )


def _scan(store: Store, digest: str, check: Callable[[Path], None]) -> str:
    try:
        directory = store.open_tree(digest)
        check(directory)
    except AssayError as error:
        return error.message
    # Ours lets no such file through; picklescan reads what a second pair of eyes finds.
    return "; ".join(second_opinion(directory))
