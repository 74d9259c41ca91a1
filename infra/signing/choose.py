"""The signer that the configuration names.

signer = open_signer(project)
signer.identity                          # what `configs/trust.yaml` has to name
"""

from infra.config import Project
from infra.signing.keys import ensure_key, load_private_key
from infra.signing.signer import KeySigner, Signer


def open_signer(project: Project) -> Signer:
    """The installation's key (made at first use), a PKCS#11 token's, or an identity's.

    Raises ConfigError, IntegrityError.
    """
    settings = project.signing
    if settings.pkcs11:
        from infra.signing.pkcs11 import Pkcs11Signer

        return Pkcs11Signer(settings.pkcs11, settings.pin or "")
    if settings.identity:
        from infra.signing.keyless import KeylessSigner

        config = settings.trust_config
        return KeylessSigner(settings.identity, None if config is None else project.path(config))
    passphrase = settings.passphrase or ""
    return KeySigner(load_private_key(ensure_key(project.home, passphrase).private, passphrase))
