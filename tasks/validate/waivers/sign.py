"""Sign a waiver with its owner's key, unless it would not count anyway.

name, bundle = sign_waiver(waiver, private_key, owners=keys, gates=names, longest_days=30, today=today)
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from infra.digest import digest_bytes, hex_of
from infra.errors import ConfigError
from infra.signing.dsse import sign_statement
from infra.signing.keys import PublicKey, describe
from tasks.records import Waiver
from tasks.validate.waivers.statement import waiver_statement


def sign_waiver(
    waiver: Waiver,
    key: ec.EllipticCurvePrivateKey,
    *,
    owners: Mapping[str, PublicKey],
    gates: Collection[str],
    longest_days: int,
    today: date,
) -> tuple[str, bytes]:
    """Name and content of the signed file; raises ConfigError for a waiver that would not count."""
    if waiver.gate not in gates:
        raise ConfigError(f"no gate {waiver.gate!r}", hint=f"gates: {', '.join(sorted(gates))}")
    _check_day(waiver.expires, longest_days, today)
    _check_key(waiver.owner, key, owners)
    bundle = sign_statement(waiver_statement(waiver, today), key)
    # ECDSA signatures differ each time: a second waiver never replaces the first.
    return f"{waiver.gate}-{hex_of(digest_bytes(bundle))[:12]}.json", bundle


def _check_day(expires: date, longest_days: int, today: date) -> None:
    last = today + timedelta(days=longest_days)
    if not today <= expires <= last:
        raise ConfigError(
            f"a waiver until {expires} does not count", hint=f"choose a day from {today} to {last}"
        )


def _check_key(owner: str, key: ec.EllipticCurvePrivateKey, owners: Mapping[str, PublicKey]) -> None:
    if owner not in owners:
        listed = ", ".join(sorted(owners)) or "nobody"
        raise ConfigError(
            f"{owner!r} may not waive: the configuration lists {listed}",
            hint=f"waivers.owners: {{{owner}: path/to/{owner}.pub}}",
        )
    got = describe(key.public_key()).key_id
    if got != owners[owner].key_id:
        raise ConfigError(
            f"this is not {owner}'s key: got {got}, the configuration lists {owners[owner].key_id}",
            hint="sign with the private half of the listed key: --key FILE",
        )
