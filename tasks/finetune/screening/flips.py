"""Flipped labels: rows whose label neither neighbours nor classifiers that never saw the row expect.

scores = flip_scores(texts, vectors, labels, near, settings)
scores.rank            # float [n], 1 for the row to look at first
scores.strong          # bool [n]: kept out of training

Confident learning (Northcutt et al., JAIR 2021) over two views, vectors and words, and the labels of the
nearest neighbours; the mean rank of the three. One view alone finds a tenth fewer of the flips.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.config.screening import ScreeningSettings
from tasks.finetune.screening.neighbours import Floats, Indices, Vectors, agreement

# Inverse strength of the L2 penalty, chosen on flipped ATT&CK rows; twice as much changes little.
_VECTOR_C, _WORD_C = 3.0, 10.0
_FLOOR = 1e-6


@dataclass(frozen=True)
class FlipScores:
    """One entry a row."""

    rank: Floats
    """Mean rank of three views, scaled to 0 … 1; 1 is the most suspicious row."""
    expected: Indices
    """The label that the classifiers expect among all others than the given one."""
    strong: NDArray[np.bool_]
    """All views disagree with the label, and the classifiers agree on another one."""


def flip_scores(
    texts: Sequence[str], vectors: Vectors, labels: Indices, near: Indices, settings: ScreeningSettings
) -> FlipScores:
    """Scores [n] for `labels` (int [n], from 0); `near` as `nearest` gives it. Needs two labels or more."""
    from scipy.stats import rankdata

    count, rows = int(labels.max()) + 1, np.arange(len(labels))
    disagreement = 1 - agreement(near[:, : settings.neighbours], labels)
    by_vector = _out_of_fold(vectors, labels, count, _VECTOR_C, settings.folds)
    by_word = _out_of_fold(_word_weights(texts), labels, count, _WORD_C, settings.folds)
    both = np.sqrt(np.maximum(by_vector, _FLOOR) * np.maximum(by_word, _FLOOR))
    both /= both.sum(axis=1, keepdims=True)
    views = (disagreement, 1 - by_vector[rows, labels], 1 - by_word[rows, labels])
    rank = np.mean([rankdata(view) for view in views], axis=0) / len(labels)
    own = both[rows, labels].copy()
    both[rows, labels] = -1
    strong = (
        (disagreement >= settings.flip_disagreement - 1e-9)
        & (own <= settings.flip_own_probability)
        & (both.max(axis=1) >= settings.flip_other_probability)
    )
    return FlipScores(rank, both.argmax(axis=1).astype(np.int64), strong)


def review_list(scores: FlipScores, settings: ScreeningSettings) -> Indices:
    """The rows that the review budget pays for, most suspicious first."""
    count = math.ceil(len(scores.rank) * settings.expected_flips * settings.review_budget)
    return np.argsort(-scores.rank, kind="stable")[:count].astype(np.int64)


def _out_of_fold(features: Any, labels: Indices, count: int, strength: float, folds: int) -> Floats:
    """Probabilities [n, count] by classifiers that did not see the row; 0 for labels they did not see."""
    from sklearn.linear_model import LogisticRegression

    probabilities = np.zeros((len(labels), count))
    fold = np.arange(len(labels)) % folds  # rows come in the order of their digests: as good as shuffled
    for number in range(folds):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(outside) == 0 or len(np.unique(labels[inside])) < 2:
            continue
        model = LogisticRegression(C=strength, max_iter=1000, tol=1e-3)
        model.fit(features[inside], labels[inside])
        probabilities[np.ix_(outside, model.classes_)] = model.predict_proba(features[outside])
    return probabilities


def _word_weights(texts: Sequence[str]) -> Any:
    """TF-IDF of words and pairs of words, sparse [n, vocabulary]."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    # Words in one text alone teach nothing about others; tiny sets keep them, or nothing would be left.
    least = 2 if len(texts) >= 100 else 1
    words = r"(?u)\w+|[^\w\s]+"
    weights = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=least, token_pattern=words)
    return weights.fit_transform(texts)
