"""One-time codes (TOTP, RFC 6238: SHA-1, 6 digits, 30 s), each good for one decision.

step = matching_step(seed, "123456", now)      # None: wrong
used = code_digest("ada", step)                # in the ledger from then on; the code itself nowhere
"""

import hmac
from datetime import datetime

from infra.digest import digest_json

PERIOD_S = 30
_DRIFT_STEPS = 1
_SEED_CHARACTERS = 32  # 160 bits, what RFC 4226 recommends


def new_seed() -> str:
    """A random seed, base32."""
    import pyotp

    return pyotp.random_base32(_SEED_CHARACTERS)


def provisioning_uri(seed: str, name: str, issuer: str) -> str:
    """What an authenticator scans; it holds the seed."""
    import pyotp

    return pyotp.TOTP(seed).provisioning_uri(name=name, issuer_name=issuer)


def matching_step(seed: str, code: str, now: datetime) -> int | None:
    """The time step that a code belongs to: this one or a neighbour, for clocks that differ; None for none.

    Raises ValueError when the seed is not base32.
    """
    import pyotp

    totp = pyotp.TOTP(seed, interval=PERIOD_S)
    current = int(now.timestamp()) // PERIOD_S
    # Every candidate is compared, and in constant time: how long it takes tells nothing.
    found = [
        step
        for step in range(current - _DRIFT_STEPS, current + _DRIFT_STEPS + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
    ]
    return found[0] if found else None


def code_digest(approver: str, step: int) -> str:
    """Names a used code without telling it."""
    return digest_json({"approver": approver, "step": step})
