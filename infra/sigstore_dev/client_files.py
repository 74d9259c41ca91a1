"""What a running instance leaves in a directory for its clients, and how they get a token by it.

with published(instance, directory, rekor=2) as trust_config: ...   # and `instance.json`, for its owner
request_token(directory, "ann@example.com")                      # from the running instance
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from infra import atomic
from infra.errors import IntegrityError, Unavailable
from infra.signing.documents import parse_object
from infra.sigstore_dev.instance import Instance
from infra.sigstore_dev.trust_config import RekorVersion, write_trust_config

TRUST_CONFIG, INSTANCE = "trust-config.json", "instance.json"
_HINT = "start one: assay sigstore dev"
_TIMEOUT_S = 10


@contextlib.contextmanager
def published(instance: Instance, directory: Path, rekor: RekorVersion) -> Iterator[Path]:
    """The path of the trust configuration, which stays; address and secret go when the block ends."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_trust_config(directory / TRUST_CONFIG, instance.trust_config(rekor))
    secret = json.dumps({"url": instance.url, "secret": instance.secret})
    atomic.write_text(directory / INSTANCE, secret, mode=0o600)
    try:
        yield directory / TRUST_CONFIG
    finally:
        (directory / INSTANCE).unlink(missing_ok=True)


def request_token(directory: Path, subject: str) -> str:
    """A token for an e-mail address or workload URI.

    Raises Unavailable when no instance runs there, IntegrityError when it refuses the subject.
    """
    import httpx

    try:
        known = parse_object((directory / INSTANCE).read_bytes(), INSTANCE)
        answer = httpx.post(
            f"{known['url']}/token",
            json={"subject": subject},
            headers={"Authorization": f"Bearer {known['secret']}"},
            timeout=_TIMEOUT_S,
        )
        document = parse_object(answer.content, "answer")
    except (OSError, httpx.TransportError, KeyError) as error:
        raise Unavailable(f"{directory}: no private Sigstore runs there", hint=_HINT) from error
    if answer.status_code != httpx.codes.OK:
        raise IntegrityError(str(document.get("message")), hint="an e-mail address or an https:// URI")
    return str(document["token"])
