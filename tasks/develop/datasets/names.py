"""Names and places in a text, which have no form of their own: by Presidio with a spaCy model (an extra).

find_names("Ann Smith wrote", "en_core_web_lg")      # [Pii("person", 0, 9)]
names_engine("en_core_web_lg")                        # versions that the result depends on

Nothing here reaches the network. Presidio's own start-up downloads a missing model, and its recogniser of
mail addresses fetches a list of domains; what has a form is left to `infra.guard.pii`.
"""

from functools import cache
from importlib.metadata import version
from typing import Any

from infra.errors import ConfigError
from infra.guard.pii import Pii

KINDS = {"PERSON": "person", "LOCATION": "location", "NRP": "nationality-religion-politics"}
"""Presidio's entities and our names of them. Dates are left: of any day, not of a birth, and of no one."""


def find_names(text: str, model: str) -> list[Pii]:
    """Names and places from left to right, none inside another; raises ConfigError as `names_engine` does."""
    found = _analyzer(model).analyze(text, language="en", entities=list(KINDS))
    apart: list[Pii] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not apart or one.start >= apart[-1].end:
            apart.append(Pii(KINDS[one.entity_type], one.start, one.end))
    return apart


def names_engine(model: str) -> dict[str, str]:
    """Versions of Presidio, spaCy and the model; raises ConfigError when one of them is not installed."""
    try:
        import presidio_analyzer  # noqa: F401  # installed is not enough: it must start
        import spacy.util
    except ImportError as error:
        raise ConfigError(
            f"data.pii_engine: presidio is not installed ({error})",
            hint="install the extra: pip install 'assay[presidio]', or set data.pii_engine: patterns",
        ) from error
    if not spacy.util.is_package(model):
        installed = ", ".join(spacy.util.get_installed_models()) or "none"
        raise ConfigError(
            f"data.pii_model: spaCy model {model!r} is not installed; installed: {installed}",
            hint=f"install its wheel (github.com/explosion/spacy-models, {model}), or name an installed one",
        )
    return {name: version(name) for name in ("presidio-analyzer", "spacy", model)}


@cache
def _analyzer(model: str) -> Any:
    names_engine(model)
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    engine = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": model}],
        ner_model_configuration=NerModelConfiguration(labels_to_ignore=[]),
    )
    engine.load()
    recognizers = [SpacyRecognizer(supported_language="en", supported_entities=list(KINDS))]
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
