"""With what deploy signs: the installation's key, a key in a token, or an identity."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from infra.config.section import SecretReference, Section


class SigningSettings(Section):
    """How deploy signs releases; whether that signer may is for the trust policy. Nothing set: own key."""

    passphrase: SecretReference | None = Field(
        None, description="of the installation's key file (env:NAME or file:PATH)"
    )
    pkcs11: str = Field("", description="pkcs11: URI (RFC 7512) of a key in a token; signs instead")
    pin: SecretReference | None = Field(None, description="PIN of the token (env:NAME or file:PATH)")
    identity: str = Field(
        "", description="`ambient` (CI job), env:NAME or file:PATH of an OIDC token; signs instead, keyless"
    )
    trust_config: Path | None = Field(
        None,
        description="client trust configuration of a private Sigstore, relative to the project file;"
        " null: the public instance",
    )

    @model_validator(mode="after")
    def _one_signer(self) -> Self:
        if self.identity and self.identity != "ambient" and not self.identity.startswith(("env:", "file:")):
            raise ValueError("signing.identity: expected ambient, env:NAME or file:PATH, never the token")
        chosen = [
            name for name in ("passphrase", "pkcs11", "identity") if getattr(self, name) not in ("", None)
        ]
        if len(chosen) > 1:
            raise ValueError(f"signing: {' and '.join(chosen)} are of different signers; name one")
        if self.pin is not None and not self.pkcs11:
            raise ValueError("signing.pin: there is no token without signing.pkcs11")
        if self.trust_config is not None and not self.identity:
            raise ValueError("signing.trust_config: only identities are signed for there")
        return self
