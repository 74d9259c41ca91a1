"""Files of a running instance: secret ones are private and vanish, trust stays and grows."""

import json
from pathlib import Path

import pytest

from infra.errors import IntegrityError, Unavailable
from infra.sigstore_dev import serving
from infra.sigstore_dev.client_files import INSTANCE, TRUST_CONFIG, published, request_token
from tests.private_sigstore import ANN


def test_tokens_come_from_the_instance_that_runs(tmp_path: Path) -> None:
    directory = tmp_path / "sigstore"
    with pytest.raises(Unavailable, match="no private Sigstore runs"):
        request_token(directory, ANN)
    with serving() as instance, published(instance, directory, 2) as config:
        assert config == directory / TRUST_CONFIG
        assert (directory / INSTANCE).stat().st_mode & 0o777 == 0o600
        assert directory.stat().st_mode & 0o777 == 0o700
        assert instance.issuer.identify(request_token(directory, ANN)).subject == ANN
        with pytest.raises(IntegrityError, match="no identity"):
            request_token(directory, "ann")
        left = (directory / INSTANCE).read_bytes()
    assert not (directory / INSTANCE).exists()
    (directory / INSTANCE).write_bytes(left)  # as after a crash
    with pytest.raises(Unavailable, match="no private Sigstore runs"):
        request_token(directory, ANN)


def test_what_an_earlier_start_signed_stays_trusted(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        with serving() as instance, published(instance, tmp_path, 2) as config:
            document = json.loads(config.read_bytes())
            assert len(document["trustedRoot"]["certificateAuthorities"]) == number
            assert len(document["trustedRoot"]["tlogs"]) == 2 * number
            assert document["signingConfig"]["caUrls"][0]["url"] == instance.url


def test_something_else_in_the_place_of_the_trust_config_is_not_replaced(tmp_path: Path) -> None:
    with serving() as instance:
        real = instance.trust_config()
        real["signingConfig"]["caUrls"][0]["operator"] = "sigstore.example"
        for content in ("notes", "{}", '{"signingConfig": 7}', json.dumps(real)):
            (tmp_path / TRUST_CONFIG).write_text(content)
            with pytest.raises(IntegrityError), published(instance, tmp_path, 2):
                raise AssertionError
            assert (tmp_path / TRUST_CONFIG).read_text() == content
