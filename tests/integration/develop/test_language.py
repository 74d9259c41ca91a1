"""The language model itself, whose loading takes seconds."""

from typing import Any

import pytest

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets.language import identify, language_stage
from tests.unit.tasks.develop.datasets.samples import counted, run, texts, texts_table

ENGLISH = [
    "Comnie executes VBS scripts.",
    "MiniDuke can use DGA to generate new Twitter URLs for C2.",
    "Grandoreiro can use VBScript to execute malicious code.",
    "The actor sent a phishing mail with an attached document.",
]
GERMAN = "Die Schadsoftware verschlüsselt alle Dateien auf dem Rechner und verlangt ein Lösegeld."


def settings(**values: Any) -> DataSettings:
    return DataSettings(source="attack-stix", licence="MIT", **values)


def test_a_foreign_sentence_goes_and_names_of_malware_stay() -> None:
    outcome = run(language_stage(settings(languages=("en",))), texts_table([*ENGLISH, GERMAN, "C2", "!!!"]))
    assert texts(outcome) == [*ENGLISH, "C2", "!!!"]
    assert counted(outcome) == {"language de": 1}


def test_a_language_without_a_model_is_refused() -> None:
    with pytest.raises(DataError, match="no model for 'xx'"):
        run(language_stage(settings(languages=("xx",))), texts_table(["a"]))


def test_many_texts_at_once_score_like_one() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    one = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    samples = [
        *ENGLISH,
        GERMAN,
        "",
        "SHOUTING IN ENGLISH",
        "Злоумышленник использует PowerShell",
        "数据",
        "x",
    ]
    found = identify(samples, ["de"])
    for text, name, share, other in zip(samples, found.best, found.shares, found.other, strict=True):
        expected, confidence = one.classify(text)
        assert other == pytest.approx(1 - dict(one.rank(text))["de"], abs=1e-5)
        assert share == pytest.approx(confidence, abs=1e-5)
        assert name == expected or share < 0.02
