"""The people who may waive, by the keys that the configuration lists for them.

keys = owner_keys(project)              # {"ada": PublicKey, …}
"""

from collections.abc import Mapping
from pathlib import Path

from infra.config.project import Project
from infra.errors import IntegrityError
from infra.signing.keys import PUBLIC_NAME, PublicKey, load_public_key
from infra.signing.rotation import own_keys


def owner_keys(project: Project) -> dict[str, PublicKey]:
    """The key of every owner in `waivers.owners`.

    Raises IntegrityError for a key that cannot be read, that two owners share (nobody could say who
    signed), or that the pipeline itself signs releases with (it would waive its own gates).
    """
    files = {owner: project.path(file) for owner, file in project.waivers.owners.items()}
    keys = {owner: load_public_key(file) for owner, file in files.items()}
    _check_apart(keys, project.home / "keys" / PUBLIC_NAME)
    return keys


def _check_apart(keys: Mapping[str, PublicKey], pipeline: Path) -> None:
    seen: dict[str, str] = {}
    for owner, key in keys.items():
        if key.key_id in seen:
            raise IntegrityError(
                f"waivers.owners: {seen[key.key_id]} and {owner} have the same key",
                hint="a waiver names one person: one key each",
            )
        seen[key.key_id] = owner
    own = own_keys(pipeline) if keys and pipeline.exists() else []
    for shared in (seen[key.key_id] for key in own if key.key_id in seen):
        raise IntegrityError(
            f"waivers.owners: {shared}'s key is the one that the pipeline signs releases with",
            hint=f"make one of their own: assay waiver key {shared}",
        )


def own_key(home: Path, owner: str) -> Path:
    """The directory of an owner's key pair on this machine."""
    return home / "keys" / "owners" / owner
