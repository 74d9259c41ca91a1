"""Where the token comes from that says who signs: a secret reference, or the CI job's own identity.

identity_token("file:/run/secrets/oidc-token")     # or env:NAME, as for every secret
identity_token("ambient")                          # GitHub Actions, GitLab, Google Cloud, Buildkite, CircleCI

Tokens live for minutes: they are read anew for each certificate, and never written anywhere.
"""

from infra.config.secrets import resolve
from infra.errors import ConfigError, IntegrityError

AMBIENT = "ambient"


def identity_token(source: str) -> str:
    """The token; raises ConfigError when there is none, IntegrityError when the CI system refuses one."""
    return _ambient() if source == AMBIENT else resolve(source)


def _ambient() -> str:
    from sigstore.oidc import IdentityError, detect_credential

    try:
        token = detect_credential()
    except IdentityError as error:
        raise IntegrityError(
            f"this job's identity token was refused: {error}",
            hint="give the job the right to ask for one: on GitHub `permissions: id-token: write`",
        ) from error
    if token is None:
        raise ConfigError(
            "no identity token: this process does not run in a CI job that has one",
            hint="name a token by reference: env:NAME or file:PATH",
        )
    return token
