"""SLSA provenance v1 in an in-toto Statement v1: whether it is valid and complete, and what it is about.

check_statement(content)                  # DataError unless in-toto's own schemas accept it
dependency_of(content, "base")            # "sha256:…", or None

Specifications: slsa.dev/spec/v1.0/provenance, in-toto/attestation v1.
"""

from collections.abc import Mapping
from typing import Any

from infra.digest import hex_of
from infra.errors import DataError
from infra.signing.attestations import PROVENANCE_TYPE
from infra.signing.oms import root_digest


def adapter_subjects(tree: str, files: Mapping[str, str]) -> dict[str, str]:
    """The adapter under each of its names: OMS root (as in its signature), tree digest, and every file."""
    return {
        "adapter": root_digest(files),
        "adapter-tree": tree,
        **{f"adapter/{name}": digest for name, digest in files.items()},
    }


def check_statement(content: Mapping[str, Any]) -> None:
    """Raises DataError unless it is complete and fits in-toto's published schemas, which are closed."""
    from google.protobuf import json_format  # type: ignore[import-untyped]  # ships no types
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import (  # type: ignore[import-untyped]
        Provenance,
    )
    from in_toto_attestation.v1.statement import Statement  # type: ignore[import-untyped]
    from in_toto_attestation.v1.statement_pb2 import (  # type: ignore[import-untyped]
        Statement as StatementMessage,
    )

    if content.get("predicateType") != PROVENANCE_TYPE:
        raise DataError(
            f"provenance: got predicate {content.get('predicateType')!r}, expected {PROVENANCE_TYPE}"
        )
    try:
        Statement.copy_from_pb(json_format.ParseDict(dict(content), StatementMessage())).validate()
        parsed = json_format.ParseDict(content.get("predicate"), Provenance())
    except Exception as error:
        what = " ".join(str(error).split())[:300]
        raise DataError(f"provenance is not valid SLSA v1: {type(error).__name__}: {what}") from error
    definition, run = parsed.build_definition, parsed.run_details
    named = [each.name for each in definition.resolved_dependencies if each.digest]
    needed = {
        "buildType": definition.build_type,
        "externalParameters": len(definition.external_parameters),
        "builder.id": run.builder.id,
        "invocationId": run.metadata.invocation_id,
        "startedOn": run.metadata.started_on.ToSeconds(),
        "finishedOn": run.metadata.finished_on.ToSeconds(),
        **{f"resolvedDependencies.{name}": name in named for name in ("base", "dataset", "prompt", "code")},
    }
    if absent := [name for name, value in needed.items() if not value]:
        raise DataError(f"provenance is incomplete: {', '.join(absent)}")


def dependency_of(content: Mapping[str, Any], name: str) -> str | None:
    """Digest of the one resolved dependency of that name; None for none, several or a malformed one."""
    try:
        listed = content["predicate"]["buildDefinition"]["resolvedDependencies"]
        digests = [each["digest"]["sha256"] for each in listed if each["name"] == name]
    except (KeyError, TypeError):
        return None
    if len(digests) != 1:
        return None
    digest = f"sha256:{digests[0]}"
    hex_of(digest)
    return digest
