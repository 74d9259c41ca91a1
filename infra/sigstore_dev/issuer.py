"""An OpenID Connect issuer: its ES256 tokens say who somebody is. It believes whoever asks.

issuer = Issuer("http://127.0.0.1:8766", clock)
token = issuer.token("ann@example.com")    # for the audience `sigstore`
issuer.identify(token)                     # Identity(subject="ann@example.com", …) or IntegrityError

OpenID Connect Core 1.0 (ID tokens) and Discovery 1.0; the discovery document is what clients ask for first.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from infra.errors import IntegrityError
from infra.sigstore_dev.clock import Clock

AUDIENCE = "sigstore"
LIFETIME = timedelta(minutes=10)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}")
_WORKLOAD = re.compile(r"(?:https|spiffe)://[!-~]{1,400}")
_CLAIMS = ["iss", "aud", "sub", "iat", "exp"]


@dataclass(frozen=True)
class Identity:
    """Who a token speaks of: a person by e-mail address, or a workload by URI."""

    subject: str
    issuer: str

    @property
    def is_person(self) -> bool:
        """Whether the subject is an e-mail address."""
        return _EMAIL.fullmatch(self.subject) is not None


class Issuer:
    """Makes tokens under one key, and checks them as Fulcio does."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self, subject: str, *, audience: str = AUDIENCE, lifetime: timedelta = LIFETIME) -> str:
        """A signed token for an e-mail address or a workload's URI; raises IntegrityError for others."""
        _check_subject(subject)
        now = self._clock()
        claims: dict[str, Any] = {"iss": self.url, "aud": audience, "sub": subject}
        claims |= {"iat": int(now.timestamp()), "exp": int((now + lifetime).timestamp())}
        if _EMAIL.fullmatch(subject):
            claims |= {"email": subject, "email_verified": True}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def identify(self, token: str) -> Identity:
        """Whom the token speaks of; raises IntegrityError unless it is ours, current and for Sigstore."""
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["ES256"],
                audience=AUDIENCE,
                issuer=self.url,
                # Times are compared with our own clock, below.
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "strict_aud": True},
            )
        except jwt.InvalidTokenError as error:
            raise IntegrityError(f"identity token refused: {error}") from None
        now, issued, expires = self._clock().timestamp(), claims["iat"], claims["exp"]
        if type(issued) is not int or type(expires) is not int or not issued - 5 <= now < expires:
            raise IntegrityError("identity token refused: it is expired or not valid yet")
        _check_subject(claims["sub"])
        return Identity(claims["sub"], self.url)

    def discovery(self) -> dict[str, Any]:
        """What `/.well-known/openid-configuration` says."""
        return {
            "issuer": self.url,
            # Clients want to see the two; signing in by browser is not offered.
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": [*_CLAIMS, "email", "email_verified"],
        }

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self._key_id}
        return {"keys": [key | {"x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}]}

    @property
    def _key_id(self) -> str:
        return hashlib.sha256(self._key.public_key().public_numbers().x.to_bytes(32, "big")).hexdigest()[:16]


def _check_subject(subject: object) -> None:
    if not isinstance(subject, str) or not (_EMAIL.fullmatch(subject) or _WORKLOAD.fullmatch(subject)):
        raise IntegrityError(f"no identity: {subject!r:.80}", hint="an e-mail address or an https:// URI")


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
