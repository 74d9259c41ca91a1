"""Whether the licences of base and data are allowed, and the same everywhere that they are written down.

licence_findings(project, candidate, mlbom)
"""

from collections.abc import Mapping
from typing import Any

from infra.config import Project
from infra.origin.mlbom import component_of, licences_of
from tasks.records import Candidate
from tasks.validate.finding import Finding


def licence_findings(
    project: Project, candidate: Candidate, mlbom: Mapping[str, Any] | None
) -> tuple[Finding, ...]:
    """One finding for the base and one for the data; pure."""
    base, data = _base(project, candidate), _data(project, candidate)
    if mlbom is not None:
        base = base or _written(mlbom, "base", candidate.base.licence)
        data = data or _written(mlbom, "dataset", candidate.dataset.licence)
    return (
        Finding(name="licence of the base", proofs={"licence": base}),
        Finding(name="licence of the data", proofs={"licence": data}),
    )


def _base(project: Project, candidate: Candidate) -> str:
    base = candidate.base
    pinned = next((each for each in project.base.candidates if each.digest == base.digest), None)
    allowed = {licence.casefold() for licence in project.base.allowed_licences}
    if pinned is None:
        return f"no entry of base.candidates has the digest {base.digest}"
    if pinned.licence.casefold() != base.licence.casefold():
        return f"got {base.licence}, the settings say {pinned.licence}"
    # SPDX identifiers compare without case (SPDX specification, annex D).
    if base.licence.casefold() not in allowed:
        return f"{base.licence} is not one of {', '.join(project.base.allowed_licences) or 'none'}"
    return ""


def _data(project: Project, candidate: Candidate) -> str:
    dataset, allowed = candidate.dataset, project.data.allowed_licences
    if not dataset.licence.strip() or dataset.licence != project.data.licence:
        return f"got {dataset.licence or 'none'}, the settings say {project.data.licence}"
    rows, total = dataset.quality.licences, sum(dataset.rows.values())
    if sum(rows.values()) != total:
        return f"{sum(rows.values())} of {total} rows have a licence"
    refused = sorted(name for name in rows if not name.strip() or (allowed and name not in allowed))
    return f"{rows[refused[0]]} rows under {refused[0] or 'no licence'}" if refused else ""


def _written(mlbom: Mapping[str, Any], reference: str, licence: str) -> str:
    component = component_of(mlbom, reference)
    got = licences_of(component) if component is not None else ()
    same = len(got) == 1 and got[0].casefold() == licence.casefold()
    return "" if same else f"the ML-BOM says {', '.join(got) or 'nothing'}, expected {licence}"
