"""A private Sigstore for tests: real services over HTTP, started in milliseconds, gone after the test."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.signing.keyless import KeylessSigner, read_trust
from infra.sigstore_dev import Instance, serving
from infra.sigstore_dev.trust_config import RekorVersion

ANN = "ann@example.com"


@dataclass
class MovedClock:
    """The machine's clock, moved by `offset`."""

    offset: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass(frozen=True)
class PrivateSigstore:
    """A running instance with the files that its clients need."""

    instance: Instance
    clock: MovedClock
    directory: Path
    rekor: RekorVersion = 2

    @property
    def url(self) -> str:
        """Its address, and the name of its issuer."""
        return self.instance.url

    @property
    def trust_config(self) -> Path:
        """The client trust configuration."""
        file = self.directory / f"trust-config-{self.rekor}.json"
        if not file.exists():
            file.write_text(json.dumps(self.instance.trust_config(self.rekor)))
        return file

    @property
    def trust(self) -> bytes:
        """What a verifier trusts."""
        return read_trust(self.trust_config)

    def token_file(self, token: str) -> Path:
        """The token in a private file."""
        file = self.directory / "token"
        file.write_text(token)
        file.chmod(0o600)
        return file

    def signer(self, subject: str = ANN, token: str = "") -> KeylessSigner:
        """Somebody who signs here."""
        file = self.token_file(token or self.instance.issuer.token(subject))
        return KeylessSigner(f"file:{file}", self.trust_config)


@pytest.fixture
def sigstore(tmp_path: Path) -> Iterator[PrivateSigstore]:
    """One instance."""
    yield from _running(tmp_path / "sigstore")


@pytest.fixture
def other_sigstore(tmp_path: Path) -> Iterator[PrivateSigstore]:
    """Another one, with other keys."""
    yield from _running(tmp_path / "other-sigstore")


def _running(directory: Path) -> Iterator[PrivateSigstore]:
    directory.mkdir()
    clock = MovedClock()
    with serving(clock=clock) as instance:
        yield PrivateSigstore(instance, clock, directory)
