"""CycloneDX 1.6 ML-BOMs: whether one is valid, and what it is about.

check_ml_bom(document)                       # DataError unless CycloneDX's own strict schema accepts it
component_of(document, "base")               # {"version": "sha256:…", "licenses": […], …}, or None

Specification: cyclonedx.org/docs/1.6/json.
"""

from collections.abc import Mapping
from typing import Any

from infra.digest import canonical_json
from infra.errors import DataError


def check_ml_bom(document: Mapping[str, Any]) -> None:
    """Raises DataError unless the strict JSON schema of CycloneDX 1.6 accepts the document."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(canonical_json(dict(document)).decode())
    if error is not None:
        what = " ".join(str(error).split())[:300]
        raise DataError(f"ML-BOM is not valid CycloneDX 1.6: {what}")


def described_version(document: Mapping[str, Any]) -> object:
    """Version of the component that the document is about: for us its digest; None when there is none."""
    try:
        return document["metadata"]["component"]["version"]
    except (KeyError, TypeError):
        return None


def component_of(document: Mapping[str, Any], reference: str) -> Mapping[str, Any] | None:
    """The one component under that `bom-ref`; None for none or several."""
    listed = document.get("components")
    found = [
        each
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and each.get("bom-ref") == reference
    ]
    return found[0] if len(found) == 1 else None


def licences_of(component: Mapping[str, Any]) -> tuple[str, ...]:
    """SPDX ids and names of its licences, in order; malformed entries are left out."""
    listed = component.get("licenses")
    entries = [each.get("license") for each in (listed if isinstance(listed, list) else [])
               if isinstance(each, dict)]  # fmt: skip
    named = [each.get("id") or each.get("name") for each in entries if isinstance(each, dict)]
    return tuple(str(name) for name in named if name)
