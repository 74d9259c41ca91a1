"""One waiver from a person's decision to a file that counts: checked, signed, in the ledger, then written.

made = make_waiver(workspace, Waiver(candidate=unit, gate="accuracy-floor", …), key_file, today=today)
"""

from datetime import date
from pathlib import Path

from infra import atomic
from infra.digest import digest_bytes
from infra.ledger import Kind, local_actor
from infra.signing.keys import load_private_key
from infra.workspace import Workspace
from tasks.records import Waiver
from tasks.validate.gates import load_gates
from tasks.validate.waivers.owners import owner_keys
from tasks.validate.waivers.read import SignedWaivers, read_waivers
from tasks.validate.waivers.sign import sign_waiver


def waiver_directory(workspace: Workspace) -> Path:
    """Where the signed waivers of a project lie."""
    return workspace.home / "waivers" / workspace.project.name


def waivers_of(workspace: Workspace, today: date) -> SignedWaivers:
    """The project's waivers as they stand today; raises IntegrityError for an unusable owner's key."""
    settings = workspace.project.waivers
    return read_waivers(
        waiver_directory(workspace),
        owner_keys(workspace.project),
        longest_days=settings.longest_days,
        today=today,
    )


def make_waiver(
    workspace: Workspace, waiver: Waiver, key: Path, *, today: date, passphrase: str = ""
) -> Path:
    """The file of the signed waiver; `passphrase` is a secret reference, for a key that is under one.

    Raises ConfigError for a waiver that would not count, IntegrityError for a key that cannot be used,
    Unavailable when the ledger does not answer: then there is no waiver.
    """
    project = workspace.project
    name, bundle = sign_waiver(
        waiver,
        load_private_key(key, passphrase),
        owners=owner_keys(project),
        gates=[rule.name for rule in load_gates(project.path(project.gates)).gates],
        longest_days=project.waivers.longest_days,
        today=today,
    )
    # The ledger first: a waiver that counts and that nobody was told of must not exist.
    workspace.ledger.append(
        Kind.NOTE,
        project=project.name,
        subject=waiver.candidate,
        actor=waiver.owner,
        reason=waiver.reason,
        details={
            "waiver": waiver.model_dump(mode="json"),
            "file": name,
            "digest": digest_bytes(bundle),
            "entered_by": local_actor(),
        },
    )
    file = waiver_directory(workspace) / name
    atomic.write_bytes(file, bundle)
    return file
