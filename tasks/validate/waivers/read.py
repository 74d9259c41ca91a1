"""Read the waivers of an installation: only what its owner's listed key signed comes through.

signed = read_waivers(directory, owner_keys(project), longest_days=30, today=today)
signed.waivers       # by file; which of them count for a candidate is for the gates to say
signed.refused       # the others, with the reason
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infra.errors import AssayError, IntegrityError
from infra.signing.dsse import verify_statement
from infra.signing.keys import PublicKey
from infra.signing.sealed import read_regular
from tasks.records import RefusedWaiver, Waiver
from tasks.validate.waivers.statement import waiver_of

_MOST_BYTES = 65_536


@dataclass(frozen=True)
class SignedWaivers:
    """What lies in a directory of waivers."""

    waivers: dict[str, Waiver]
    """Verified, by the name of their file."""
    refused: tuple[RefusedWaiver, ...]


def read_waivers(
    directory: Path, owners: Mapping[str, PublicKey], *, longest_days: int, today: date
) -> SignedWaivers:
    """Every waiver in a directory, each verified before anything in it is believed; never raises for one.

    Nothing of an unverified file is repeated, only its name: its content is whatever an attacker wrote.
    """
    found: dict[str, Waiver] = {}
    refused: list[RefusedWaiver] = []
    for file in sorted(directory.glob("*.json")):
        name = ascii(file.name)[1:-1]
        try:
            found[name] = _verified(file, owners, longest_days, today)
        except AssayError as error:
            refused.append(RefusedWaiver(file=name, reason=_line(error.message)))
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            refused.append(RefusedWaiver(file=name, reason=f"cannot be read: {type(error).__name__}"))
    return SignedWaivers(found, tuple(refused))


def _verified(file: Path, owners: Mapping[str, PublicKey], longest_days: int, today: date) -> Waiver:
    data = read_regular(file.parent, file.name, _MOST_BYTES)
    content = verify_statement(data, list(owners.values()), "waiver")
    waiver, signed_on = waiver_of(content, "waiver")
    if waiver.owner not in owners:
        raise IntegrityError("its owner is not listed in the configuration")
    # Signed by a listed key is not enough: by the one that is listed for the owner it names.
    verify_statement(data, [owners[waiver.owner]], "waiver")
    if signed_on > today:
        raise IntegrityError(f"it was signed on {signed_on}, which is yet to come")
    if not 0 <= (waiver.expires - signed_on).days <= longest_days:
        raise IntegrityError(
            f"it runs from {signed_on} to {waiver.expires}, longer than the {longest_days} days allowed"
        )
    return waiver


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:300]
