"""Certificate authorities: a root, and below it an issuing certificate that can be given to one purpose.

chain = new_authority("fulcio", ExtendedKeyUsageOID.CODE_SIGNING, now)
chain.certificates                    # issuing first, root last
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ORGANISATION = "assay development, NOT FOR PRODUCTION"
_LIFETIME = timedelta(days=3650)
_EARLIER = timedelta(minutes=5)


@dataclass(frozen=True)
class Authority:
    """An issuing key with its certificate chain."""

    key: ec.EllipticCurvePrivateKey
    certificates: tuple[x509.Certificate, ...]
    """From the issuing certificate to the root."""

    @property
    def certificate(self) -> x509.Certificate:
        """The issuing certificate."""
        return self.certificates[0]


def new_authority(name: str, purpose: x509.ObjectIdentifier, now: datetime) -> Authority:
    """A root and an intermediate for `purpose`, valid from five minutes ago for ten years."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = (
        builder(f"{name} root", f"{name} root", root_key, root_key, now - _EARLIER, _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_certificate_signing(), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    certificate = (
        builder(name, f"{name} root", key, root_key, now - _EARLIER, _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_certificate_signing(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return Authority(key, (certificate, root))


def builder(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    start: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    """A certificate with names, key, key identifiers and dates; an empty `subject` gives an empty name."""
    public = key if isinstance(key, ec.EllipticCurvePublicKey) else key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )


def key_usage(*, digital_signature: bool = False, certificate_signing: bool = False) -> x509.KeyUsage:
    """The key usage that signs documents, certificates (and their revocations), or both."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=certificate_signing,
        crl_sign=certificate_signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate_signing() -> x509.KeyUsage:
    return key_usage(certificate_signing=True)


def _name(common_name: str) -> x509.Name:
    if not common_name:
        return x509.Name([])
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
