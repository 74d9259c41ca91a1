"""Signs with a key that never leaves its token: HSM, smart card or SoftHSM, by PKCS#11.

signer = Pkcs11Signer("pkcs11:token=release;object=signing?module-path=/…/libsofthsm2.so&pin-source=file:/…")
bundle = signer.sign(statement)        # verifies like one that was signed by a key file

Needs the extra `pkcs11`. The private key has to be EC P-256, with its public key beside it in the token.
"""

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from infra.config.secrets import resolve
from infra.errors import AssayError, ConfigError, IntegrityError, Unavailable
from infra.signing.dsse import sign_with
from infra.signing.keys import PublicKey, describe
from infra.signing.pkcs11_uri import TokenKey, parse_uri
from infra.signing.signer import SignerIdentity

_P256_PARAMETERS = bytes.fromhex("06082a8648ce3d030107")  # OBJECT IDENTIFIER prime256v1, in DER
_NUMBER_BYTES = 32
# Login belongs to the process, not to a session: one at a time.
_LOCK = threading.Lock()


class Pkcs11Signer:
    """Signs with the key that a `pkcs11:` URI names.

    `pin` is a secret reference; `pin-source` in the URI is another way to give one. Neither: no login.
    Raises ConfigError for a URI that is not one, or names two PINs.
    """

    def __init__(self, uri: str, pin: str = "") -> None:
        self._key = parse_uri(uri)
        if pin and self._key.pin:
            raise ConfigError("PKCS#11: two PINs: pin-source in the URI, and another", hint="name one")
        self._pin = pin or self._key.pin

    @property
    def identity(self) -> SignerIdentity:
        """The id of the public key in the token."""
        return SignerIdentity(self.public_key.key_id)

    @cached_property
    def public_key(self) -> PublicKey:
        """What verifiers have to trust."""
        with self._opened() as (session, _):
            return _public_key(session, self._key)

    def sign(self, content: Mapping[str, Any]) -> bytes:
        """The bundle (JSON bytes), its signature checked with the token's public key.

        Raises ConfigError, IntegrityError (a wrong PIN, no such key, another kind of key), and Unavailable
        when the token is not there.
        """
        public = self.public_key

        def sign(data: bytes) -> bytes:
            with self._opened() as (session, mechanism):
                private = _the_one(session, self._key, private=True)
                raw = bytes(session.sign(private, hashlib.sha256(data).digest(), mechanism))
            return _checked(raw, data, public)

        return sign_with(content, public, sign)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        """A session, logged in when there is a PIN, and the mechanism that signs a digest."""
        library = _library()
        pin = resolve(self._pin) if self._pin else ""
        with _LOCK, _explained(library, self._key):
            module = library.PyKCS11Lib()
            module.load(str(self._key.module))
            try:
                session = module.openSession(_slot(module, self._key))
                try:
                    if pin:
                        session.login(pin)
                    yield session, library.Mechanism(library.CKM_ECDSA, None)
                finally:
                    session.closeSession()  # the last one of the process: logs out
            finally:
                module.unload()


def _library() -> Any:
    try:
        import PyKCS11
    except ImportError as error:
        raise ConfigError(
            "PKCS#11: the package pykcs11 is not installed", hint="install the extra: assay[pkcs11]"
        ) from error
    return PyKCS11


@contextlib.contextmanager
def _explained(library: Any, key: TokenKey) -> Iterator[None]:
    if not key.module.is_file():
        raise ConfigError(f"PKCS#11: there is no module {key.module}", hint="check module-path")
    try:
        yield
    except AssayError:
        raise
    except library.PyKCS11Error as error:
        code = error.value
        if code in (library.CKR_PIN_INCORRECT, library.CKR_PIN_LOCKED, library.CKR_PIN_LEN_RANGE):
            raise IntegrityError(
                f"PKCS#11: the token refused the PIN: {error}", hint="tokens lock after a few wrong PINs"
            ) from None
        if code in (library.CKR_TOKEN_NOT_PRESENT, library.CKR_DEVICE_REMOVED, library.CKR_DEVICE_ERROR):
            raise Unavailable(f"PKCS#11: the token does not answer: {error}", hint="is it there?") from error
        if code == -1:  # of the wrapper, not of the token
            raise ConfigError(f"PKCS#11: {key.module} cannot be loaded", hint="check module-path") from error
        raise IntegrityError(f"PKCS#11: {error}", hint="check token, object and PIN") from error


def _slot(module: Any, key: TokenKey) -> int:
    """The slot of the one token that is meant."""
    wanted = {
        "label": key.token,
        "serialNumber": key.serial,
        "manufacturerID": key.manufacturer,
        "model": key.model,
    }
    found = []
    for slot in module.getSlotList(tokenPresent=True):
        # Padded to their full width, and some tokens pad with zeros.
        info = module.getTokenInfo(slot)
        if all(not value or getattr(info, name).strip("\0 ") == value for name, value in wanted.items()):
            found.append(int(slot))
    if not found:
        raise Unavailable(f"PKCS#11: no token {key.token or key.serial!r} is present", hint="is it there?")
    if len(found) > 1:
        raise IntegrityError(f"PKCS#11: {len(found)} tokens fit", hint="name its token label or serial")
    return found[0]


def _the_one(session: Any, key: TokenKey, *, private: bool) -> Any:
    """The private or public half; raises IntegrityError for none, or several."""
    library = _library()
    template: list[tuple[int, Any]] = [
        (library.CKA_CLASS, library.CKO_PRIVATE_KEY if private else library.CKO_PUBLIC_KEY)
    ]
    template += [(library.CKA_LABEL, key.label)] if key.label else []
    template += [(library.CKA_ID, tuple(key.key_id))] if key.key_id else []
    found = session.findObjects(template)
    if len(found) != 1:
        half = "private" if private else "public"
        raise IntegrityError(
            f"PKCS#11: got {len(found)} {half} keys for {key.label or key.key_id.hex()!r}, expected one",
            hint="name object and id; a private key is seen only with the PIN",
        )
    return found[0]


def _public_key(session: Any, key: TokenKey) -> PublicKey:
    library = _library()
    half = _the_one(session, key, private=False)
    parameters, point = session.getAttributeValue(
        half, [library.CKA_EC_PARAMS, library.CKA_EC_POINT], allAsBinary=True
    )
    if bytes(parameters or b"") != _P256_PARAMETERS:
        raise IntegrityError("PKCS#11: not an EC P-256 key")
    try:
        encoded = asn1.decode_der(bytes, bytes(point))
        return describe(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encoded))
    except ValueError as error:
        raise IntegrityError("PKCS#11: the public key is malformed") from error


def _checked(raw: bytes, data: bytes, public: PublicKey) -> bytes:
    """The token's `r || s` in DER, once it fits: a token may hold halves that do not belong together."""
    if len(raw) != 2 * _NUMBER_BYTES:
        raise IntegrityError(f"PKCS#11: got a signature of {len(raw)} bytes, expected {2 * _NUMBER_BYTES}")
    r, s = (int.from_bytes(half, "big") for half in (raw[:_NUMBER_BYTES], raw[_NUMBER_BYTES:]))
    signature = encode_dss_signature(r, s)
    try:
        public.key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise IntegrityError("PKCS#11: the signature does not fit the public key in the token") from error
    return signature
