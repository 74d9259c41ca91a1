"""Augmented epochs: same rows, new texts, nothing left to chance."""

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from infra.config.robustness import AugmentationSettings
from infra.errors import ConfigError
from tasks.finetune.augmentation import epoch_examples
from tasks.finetune.perturbations.families import parts_of
from tasks.finetune.perturbations.held_out_families import HELD_OUT
from tasks.finetune.perturbations.search_families import SEARCH


@dataclass(frozen=True)
class Line:
    text: str
    label: str


LABELS = ("impact", "initial-access", "discovery")
ROWS = [
    Line(f"Actor number {n} encrypts the files of host {n}.", LABELS[n % len(LABELS)]) for n in range(600)
]


def make(rows=ROWS, seed=0, labels=LABELS, **values):
    return epoch_examples(rows, AugmentationSettings(**values), seed, labels)


def changed(rows, examples):
    return [example for row, example in zip(rows, examples, strict=True) if row.text != example.text]


def test_injections_need_a_second_label():
    with pytest.raises(ConfigError, match="got 1 labels"):
        make(labels=("impact", "impact"))
    assert make(labels=("impact",), injection=0)(1)
    assert make(labels=("impact",), share=0)(1)


def test_weights_that_draw_nothing_are_refused():
    with pytest.raises(ValidationError, match="every weight is 0"):
        AugmentationSettings(injection=0, typos=0, misspellings=0, case=0)
    with pytest.raises(ValidationError):
        AugmentationSettings(share=1.5)
    with pytest.raises(ValidationError):
        AugmentationSettings(typos=-1)


def test_without_a_share_every_row_stays():
    assert not changed(ROWS, make(share=0)(1))


def test_rows_keep_their_order_and_label_and_about_the_share_changes():
    examples = make(share=0.45)(1)
    assert [example.label for example in examples] == [row.label for row in ROWS]
    assert 0.39 < len(changed(ROWS, examples)) / len(ROWS) < 0.51


def test_the_same_seed_and_epoch_give_the_same_texts_and_others_differ():
    first = make()(1)
    assert make()(1) == first
    assert make()(2) != first
    assert make(seed=1)(1) != first


def test_a_row_more_changes_no_other_example():
    assert make(rows=[Line("new", "impact"), *ROWS])(3)[1:] == make()(3)


def test_the_label_that_an_injection_names_says_nothing_about_the_true_one():
    examples = make(share=1, typos=0, misspellings=0, case=0, second=0)(1)
    named = [
        sum(example.label.replace("-", " ") in example.text.lower().replace("-", " ") for example in part)
        for part in ([e for e in examples if e.label == label] for label in LABELS)
    ]
    # One label in three is the true one: 200 rows each, four standard deviations are 27.
    assert all(40 < count < 94 for count in named)


@pytest.mark.parametrize("kind", ["typos", "misspellings", "case", "homoglyphs", "zero_width"])
def test_every_kind_is_drawn_when_it_alone_has_weight(kind):
    weights = dict.fromkeys(("injection", "typos", "misspellings", "case"), 0) | {kind: 1}
    assert len(changed(ROWS, make(share=1, **weights)(1))) > 0.6 * len(ROWS)


def test_no_phrase_of_evaluation_gets_into_training():
    texts = [example.text for epoch in (1, 2, 3) for example in make(share=1)(epoch)]
    parts = {part.replace("{label}", label) for part in parts_of((*HELD_OUT, *SEARCH)) for label in LABELS}
    telling = {part for part in parts if len(part.split()) > 2}
    assert len(telling) > 50
    assert not [part for part in telling for text in texts if part in text]
