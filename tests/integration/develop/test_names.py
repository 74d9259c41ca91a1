"""Presidio and a spaCy model, when they are installed: names besides patterns, without any network."""

import socket
from typing import Any, NoReturn

import pytest

from infra.config.data import DataSettings
from infra.errors import ConfigError
from tasks.develop.datasets.names import find_names, names_engine
from tasks.develop.datasets.personal import personal_stage
from tests.unit.tasks.develop.datasets.samples import run, texts, texts_table

pytest.importorskip("presidio_analyzer", reason="the extra assay[presidio] is not installed")
spacy_util = pytest.importorskip("spacy.util", reason="the extra assay[presidio] is not installed")
MODELS = sorted(name for name in spacy_util.get_installed_models() if name.startswith("en_core_web"))
if not MODELS:
    pytest.skip("no English spaCy model is installed", allow_module_level=True)
MODEL = MODELS[0]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def settings(**values: Any) -> DataSettings:
    given = {"source": "attack-stix", "licence": "MIT", "pii_engine": "presidio", "pii_model": MODEL}
    return DataSettings.model_validate({**given, **values})


def test_names_and_places_go_beside_what_has_a_form() -> None:
    rows = texts_table(
        [
            "John Smith from Berlin wrote to ann@example.org, call +49 30 1234567.",
            "The malware encrypts files on disk.",
        ]
    )
    outcome = run(personal_stage(settings()), rows)
    assert texts(outcome) == [
        "[redacted:person] from [redacted:location] wrote to [redacted:email], call [redacted:phone].",
        "The malware encrypts files on disk.",
    ]
    assert outcome.changed == {f"{kind} redacted": 1 for kind in ("person", "location", "email", "phone")}


def test_rows_with_names_go_when_asked() -> None:
    rows = texts_table(["Barack Obama spoke.", "The malware encrypts files on disk."])
    outcome = run(personal_stage(settings(pii_action="drop")), rows)
    assert texts(outcome) == ["The malware encrypts files on disk."]


def test_dates_and_organisations_stay() -> None:
    assert [pii.kind for pii in find_names("On 3 May 2020 Microsoft warned Angela Merkel.", MODEL)] == [
        "person"
    ]


def test_the_key_of_the_stage_names_every_version() -> None:
    versions = personal_stage(settings()).settings["versions"]
    assert versions == names_engine(MODEL)
    assert set(names_engine(MODEL)) == {"presidio-analyzer", "spacy", MODEL}
    assert "versions" not in personal_stage(settings(pii_engine="patterns")).settings


def test_a_model_that_is_not_installed_is_refused_not_downloaded() -> None:
    with pytest.raises(ConfigError, match=r"'en_core_web_nowhere' is not installed") as caught:
        personal_stage(settings(pii_model="en_core_web_nowhere"))
    assert MODEL in caught.value.message
