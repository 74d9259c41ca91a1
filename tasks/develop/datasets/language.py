"""Stage "language": rows that are surely in another language go; what cannot be told stays.

stage = language_stage(project.data)
identify(["Das ist ein deutscher Satz."], ("en",)).other     # [0.99…]: in none of the languages wanted

Names of malware and commands make short English sentences look like Latin or Danish, a little like each of
several. So a row goes when it is almost certainly in none of the wanted languages and one other stands out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets.normalise import each_chunk, without
from tasks.develop.datasets.stages import Outcome, Stage

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

# The language of a text is decided by its first bytes: more change nothing and cost time.
_BYTES = 1000
_BLOCK = 4096
# A word or two are spread over many languages: every one is improbable, and nothing is known.
_CLEAR = 0.3


def language_stage(data: DataSettings) -> Stage | None:
    """The languages of `data.languages`; None when all may stay."""
    if not data.languages:
        return None
    work = partial(language_chunk, languages=data.languages, confidence=data.language_confidence)
    settings: dict[str, JsonValue] = {
        "languages": list(data.languages),
        "confidence": data.language_confidence,
    }
    modules = ("tasks.develop.datasets.language", "tasks.develop.datasets.normalise")
    return Stage("language", settings, modules, partial(each_chunk, work))


def language_chunk(table: "pa.Table", *, languages: tuple[str, ...], confidence: float) -> Outcome:
    """The chunk without rows in other languages; pure. Raises DataError for a language without a model."""
    import pyarrow as pa

    known = set(_model().classes)
    if unknown := [code for code in languages if code not in known]:
        raise DataError(
            f"data.languages: no model for {unknown[0]!r}", hint=f"known: {', '.join(sorted(known))}"
        )
    found = identify(table.column("text").to_pylist(), languages)
    gone = [
        best if other >= confidence and share >= _CLEAR else ""
        for best, share, other in zip(found.best, found.shares, found.other, strict=True)
    ]
    reasons = {
        f"language {code}": pa.array([name == code for name in gone], pa.bool_())
        for code in sorted(set(gone) - {""} - set(languages))
    }
    return without(table, reasons)


@dataclass(frozen=True)
class Identified:
    """For each text its most probable language, and probabilities (0 to 1)."""

    best: list[str]
    shares: list[float]
    """Of the most probable language."""
    other: list[float]
    """That it is in none of the languages asked for."""


def identify(texts: Sequence[str], languages: Sequence[str]) -> Identified:
    """The languages of many texts at once: the same model and scores as `py3langid.classify`, by columns."""
    import numpy as np

    model = _model()
    found = Identified([], [], [])
    asked = np.isin(model.classes, list(languages))
    for start in range(0, len(texts), _BLOCK):
        scores = model.probabilities([_encoded(text) for text in texts[start : start + _BLOCK]])
        top = scores.argmax(axis=1)
        found.best.extend(model.classes[index] for index in top)
        found.shares.extend(scores[np.arange(len(top)), top].tolist())
        found.other.extend((1 - scores[:, asked].sum(axis=1)).tolist())
    return found


def _encoded(text: str) -> bytes:
    return (text.lower() if text.isupper() else text).encode()[:_BYTES]


class _Model:
    """The naive Bayes model of py3langid over byte n-grams that a finite automaton finds."""

    def __init__(self, identifier: Any) -> None:
        import numpy as np

        self.classes: list[str] = list(identifier.nb_classes)
        self.weights = np.asarray(identifier.nb_ptc, dtype=np.float32)
        self.prior = np.asarray(identifier.nb_pc, dtype=np.float32)
        self.next = np.asarray(identifier.tk_nextmove, dtype=np.int64)
        self.base = np.asarray(identifier.tk_row, dtype=np.int64) << 8
        self.feature = np.asarray(identifier.tk_output, dtype=np.int64)
        self.twins = [
            (self.classes.index(name), index)
            for index, name in enumerate(self.classes)
            if self.classes.index(name) != index
        ]

    def probabilities(self, texts: Sequence[bytes]) -> "NDArray[np.float32]":
        """Texts × classes, each row adding up to one."""
        import numpy as np
        from scipy.sparse import csr_matrix

        lengths = np.array([len(text) for text in texts])
        rows, features = self._features(texts, lengths)
        ones = np.ones(len(rows), dtype=np.float32)
        seen = csr_matrix((ones, (rows, features)), shape=(len(texts), len(self.weights)))
        seen.data = np.log1p(seen.data)
        scores = seen @ self.weights + self.prior
        scores[np.bincount(rows, minlength=len(texts)) == 0] = 0
        scores /= np.sqrt(np.maximum(lengths, 1)).astype(np.float32)[:, None]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        for first, twin in self.twins:
            scores[:, first] += scores[:, twin]
            scores[:, twin] = 0
        found: NDArray[np.float32] = scores
        return found

    def _features(self, texts: Sequence[bytes], lengths: "NDArray[np.int64]") -> Any:
        """(text, feature) of every hit; all texts walk through the automaton together, byte by byte."""
        import numpy as np

        order = np.argsort(-lengths, kind="stable")
        padded = np.zeros((int(lengths.max(initial=0)), len(texts)), dtype=np.uint8)
        for column, index in enumerate(order):
            padded[: lengths[index], column] = np.frombuffer(texts[index], dtype=np.uint8)
        active = np.searchsorted(-lengths[order], -np.arange(1, len(padded) + 1), side="right")
        state = np.zeros(len(texts), dtype=np.int64)
        rows, features = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for letters, count in zip(padded, active, strict=True):
            state[:count] = self.next[self.base[state[:count]] + letters[:count]]
            found = self.feature[state[:count]]
            hit = np.flatnonzero(found >= 0)
            rows.append(order[hit])
            features.append(found[hit])
        return np.concatenate(rows), np.concatenate(features)


@cache
def _model() -> _Model:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return _Model(LanguageIdentifier.from_model_file(MODEL_FILE))
