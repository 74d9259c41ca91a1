"""Rows of three labels whose vectors lie near the centre of their meaning, whatever label they carry."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra.config.screening import ScreeningSettings
from infra.guard import GuardPolicy
from tasks.records import Row

LABELS = ("impact", "discovery", "collection")
SETTINGS = ScreeningSettings()
_WORDS = {
    "impact": "encrypts wipes deletes stops locks ruins disks files shares backups",
    "discovery": "lists enumerates queries scans maps reads users hosts domains shares",
    "collection": "copies gathers records captures saves screens keys mails files clips",
}
_COMMON = [
    "the",
    "actor",
    "malware",
    "then",
    "it",
    "on",
    "every",
    "with",
    "after",
    "new",
    "old",
    "first",
    "of",
    "a",
]


def guard() -> GuardPolicy:
    return GuardPolicy.from_yaml(Path("configs/guard.yaml").read_bytes())


def make_rows(count: int = 240, seed: int = 0) -> list[Row]:
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        label = LABELS[number % len(LABELS)]
        own = draw.choice(_WORDS[label].split(), 4, replace=False)
        words = [*own, *draw.choice(_COMMON, 4, replace=False), f"n{number}"]
        rows.append(Row(text=" ".join(draw.permutation(words)), label=label, group=f"g{number}"))
    return rows


def meaning_vectors(rows: list[Row], texts: list[str] | None = None) -> NDArray[np.float32]:
    """One vector a row, from the words of its text alone: labels and unknown words do not count."""
    vocabulary = {word: at for at, word in enumerate(sorted({w for v in _WORDS.values() for w in v.split()}))}
    vectors = np.full((len(rows), len(vocabulary)), 0.01, dtype=np.float32)
    for at, text in enumerate(texts or [row.text for row in rows]):
        for word in text.split():
            if word in vocabulary:
                vectors[at, vocabulary[word]] += 1
    # Words of one label point the same way, as they do for a model of language.
    for words in _WORDS.values():
        columns = [vocabulary[word] for word in words.split()]
        vectors[:, columns] += vectors[:, columns].mean(axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def embed(texts: list[str]) -> NDArray[np.float32]:
    return meaning_vectors([Row(text=text, label="x", group="g") for text in texts])
