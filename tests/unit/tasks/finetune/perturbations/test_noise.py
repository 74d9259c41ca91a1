"""Noise is seeded, hits about what it says, and keeps the text readable."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import ConfigError
from infra.normalisation import STEPS, normalise
from tasks.finetune.perturbations.misspellings import misspellings
from tasks.finetune.perturbations.noise import NOISE, perturb
from tasks.finetune.perturbations.typos import typos

TEXT = "The actor received encrypted commands and deleted several files on the compromised host."


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match="scramble"):
        perturb(TEXT, "scramble", 0)


@pytest.mark.parametrize("kind", NOISE)
def test_the_same_seed_gives_the_same_text_and_another_seed_another(kind):
    assert perturb(TEXT, kind, 0) == perturb(TEXT, kind, 0) != TEXT
    if kind not in ("upper", "lower"):
        assert len({perturb(TEXT, kind, seed) for seed in range(20)}) > 10


@pytest.mark.parametrize("kind", NOISE)
@given(text=st.text(max_size=40))
def test_every_text_is_taken(kind, text):
    assert isinstance(perturb(text, kind, 0), str)


@pytest.mark.parametrize("kind", ["homoglyphs", "zero-width"])
def test_what_nobody_sees_is_undone_by_normalisation(kind):
    assert all(normalise(perturb(TEXT, kind, seed), STEPS) == TEXT for seed in range(50))


@pytest.mark.parametrize("kind", ["upper", "random-case"])
def test_shouting_is_undone_but_for_names(kind):
    assert all(normalise(perturb(TEXT, kind, seed), STEPS) == TEXT for seed in range(20))


def test_typos_hit_about_the_share_that_they_should():
    text = "abcdefghij" * 2000
    random = Random(0)
    kept = sum(a == b for a, b in zip(text, typos(text, random, rate=0.0), strict=True))
    assert kept == len(text)
    # A third of the hits loses a letter, and a third of them doubles or swaps: lengths shrink by a third.
    assert 0.025 < 1 - len(typos(text, Random(0), rate=0.08)) / len(text) < 0.03


def test_typos_take_keys_that_touch():
    slips = {typos("g", Random(seed), rate=1.0) for seed in range(200)}
    assert slips <= {"f", "h", "t", "y", "v", "b", "gg", ""}
    assert "q" not in slips


def test_misspellings_change_words_not_their_number():
    changed = misspellings(TEXT, Random(1), rate=1.0)
    before, after = TEXT.split(), changed.split()
    assert len(before) == len(after)
    assert all(a == b for a, b in zip(before, after, strict=True) if len(b.strip(".")) < 4)
    assert sum(a != b for a, b in zip(before, after, strict=True)) >= 8
    assert all(a[0] == b[0] for a, b in zip(before, after, strict=True))
