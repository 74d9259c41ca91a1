"""The signer that the configuration names, and configurations that name none or two."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.config.signing import SigningSettings
from infra.errors import ConfigError, IntegrityError
from infra.signing import ensure_key
from infra.signing.choose import open_signer
from infra.signing.keyless import KeylessSigner
from infra.signing.pkcs11 import Pkcs11Signer
from infra.signing.signer import SignerIdentity
from tests.unit.tasks.finetune.provenance.samples import make_project

URI = "pkcs11:token=release;object=signing?module-path=/usr/lib/softhsm/libsofthsm2.so"

UNUSABLE: dict[str, dict[str, Any]] = {
    "a token itself": {"identity": "eyJhbGciOi"},
    "a passphrase itself": {"passphrase": "hunter2"},
    "a PIN itself": {"pkcs11": URI, "pin": "1234"},
    "two signers": {"pkcs11": URI, "identity": "ambient"},
    "a passphrase of another signer": {"passphrase": "env:P", "identity": "ambient"},
    "a PIN without a token": {"pin": "env:PIN"},
    "an instance for a key": {"trust_config": "sigstore.json"},
    "an unknown setting": {"key": "signing.pem"},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_configuration_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        SigningSettings.model_validate(UNUSABLE[name])


def test_nothing_configured_is_the_key_of_the_installation(tmp_path: Path) -> None:
    project = make_project(home=tmp_path)
    assert open_signer(project).identity == SignerIdentity(ensure_key(tmp_path).key_id)


def test_a_passphrase_opens_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PASSPHRASE", "correct horse battery staple")
    project = make_project(home=tmp_path, signing={"passphrase": "env:KEY_PASSPHRASE"})
    assert open_signer(project).identity.subject.startswith("sha256:")
    with pytest.raises(IntegrityError):
        open_signer(make_project(home=tmp_path))
    monkeypatch.setenv("KEY_PASSPHRASE", "another one, quite wrong")
    with pytest.raises(IntegrityError):
        open_signer(project)


def test_tokens_and_identities(tmp_path: Path) -> None:
    assert isinstance(open_signer(make_project(signing={"pkcs11": URI, "pin": "env:PIN"})), Pkcs11Signer)
    keyless = open_signer(make_project(signing={"identity": "env:TOKEN", "trust_config": "s.json"}))
    assert isinstance(keyless, KeylessSigner)
    with pytest.raises(ConfigError):
        open_signer(make_project(signing={"pkcs11": "pkcs11:nonsense=1"}))
    assert not (tmp_path / "keys").exists()
