"""Models, prompts and aliases in MLflow's registry: references to digests, a projection of the ledger.

registry = Registry(url)
registry.publish_model("triage", release=release, uri="file:///…", tags={"unit": unit})
registry.project_aliases("triage", {"champion": release, "previous": None})
registry.aliases("triage")                     # {"champion": "sha256:…"}
"""

from infra.registry.models import RELEASE_TAG
from infra.registry.registry import Registry

__all__ = ["RELEASE_TAG", "Registry"]
