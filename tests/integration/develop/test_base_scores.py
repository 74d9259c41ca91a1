"""A tiny real model scored, compared and shown examples; sentences really embedded."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infra.config.base import BaseSettings
from infra.config.examples import ExampleSettings
from infra.errors import IntegrityError
from infra.handover import Shelf
from infra.models import embedding, vectors
from infra.models.load import load_base
from infra.prompts import PromptTemplate
from infra.store import FileStore
from tasks.develop.fewshot import ablate
from tasks.develop.selection import compare_bases
from tasks.records import Row
from tasks.records.examples import ExampleSet, ShownExample
from tasks.records.selection import BaseCheck
from tests.integration.finetune.conftest import make_base  # noqa: F401  # the fixture of a tiny model

LABELS = ("impact", "discovery")
TEMPLATE = PromptTemplate("p", "Answer with one of: {{labels}}.", "{{text}}", LABELS)
ROWS = [Row(text=f"It lists {n} processes.", label=LABELS[n % 2], group="g") for n in range(8)]
SHOWN = tuple(ShownExample(text=f"It encrypts {n} hosts.", label=LABELS[n % 2]) for n in range(4))
DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def tiny(make_base: Callable[..., Path]) -> Path:  # noqa: F811  # pytest hands the fixture over by its name
    return make_base()


def test_a_base_is_scored_and_one_that_cannot_be_loaded_is_refused(tiny: Path, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in tiny.iterdir():
        text = file.read_bytes()
        (broken / file.name).write_bytes(
            text.replace(b'"llama"', b'"unheard-of"') if "config" in file.name else text
        )
    found = {
        "verdict": "accepted",
        "reasons": ["r"],
        "source": "path:x",
        "licence": "MIT",
        "parameters": 1,
        "bytes": 1,
    }
    checks = [
        BaseCheck.model_validate({**found, "name": "broken", "digest": store.put_tree(broken)}),
        BaseCheck.model_validate({**found, "name": "tiny", "digest": store.put_tree(tiny)}),
    ]
    settings = BaseSettings.model_validate(
        {
            "candidates": [{"name": "tiny", "source": "path:x", "licence": "MIT"}],
            "scored_rows": 4,
            "timed_texts": 2,
        }
    )
    table = compare_bases(checks, TEMPLATE, SHOWN, ROWS, settings, store)
    assert table.chosen == "tiny"
    assert table.row("broken").check.verdict == "refused"
    assert "cannot be scored" in table.row("broken").check.reasons[-1]
    score = table.row("tiny").score
    assert score is not None
    assert score.few_shot is not None
    assert (score.zero_shot.rows, score.few_shot.shots, score.timed_texts) == (4, 4, 2)
    assert score.zero_shot.prompt == TEMPLATE.digest != score.few_shot.prompt


def test_an_ablation_compares_every_set_with_none_on_the_same_rows(tiny: Path) -> None:
    examples = ExampleSet(
        digest=DIGEST, examples=SHOWN, labels=LABELS, considered=4, eligible=4, excluded={}, held_out=1,
        method="m", embedding=DIGEST, guard=DIGEST,
    )  # fmt: skip
    report = ablate(
        load_base(tiny),
        TEMPLATE,
        examples,
        ROWS,
        ExampleSettings(ablation_rows=6, count=3),
        base_digest=DIGEST,
    )
    assert [row.examples for row in report.table] == [0, 2, 3, 4]
    assert [row.name for row in report.table] == ["none", "1 of each label", "the first 3", "2 of each label"]
    assert report.rows == 6
    none, *others = report.table
    assert (none.gain, none.p_value, none.prompt) == (0, 1, TEMPLATE.digest)
    for row in others:
        assert row.prompt_tokens > none.prompt_tokens
        assert row.gain == pytest.approx(row.accuracy - none.accuracy)
        assert row.gain_lower <= row.gain <= row.gain_upper
    assert report.finding


def test_sentences_are_embedded_by_meaning_and_the_same_again() -> None:
    texts = [
        "It encrypts files.",
        "The files are encrypted by it.",
        "A cake needs sugar and flour. " * 80,
        "",
    ]
    seen: list[tuple[int, int]] = []
    found = embedding.embed(texts, on_progress=lambda done, total: seen.append((done, total)))
    assert found.shape == (4, embedding.DIMENSIONS)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert found[0] @ found[1] > 0.8 > 0.4 > found[0] @ found[2]
    assert (embedding.embed(texts) == found).all()
    assert np.allclose(embedding.embed(texts[:1])[0], found[0], atol=0.01)
    assert seen[-1] == (4, 4)
    assert embedding.embed([]).shape == (0, embedding.DIMENSIONS)


def test_vectors_are_computed_once_and_never_those_of_other_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, shelf = FileStore(tmp_path / "store"), Shelf(tmp_path / "steps")
    first = vectors.stored_vectors(store, shelf, DIGEST, ["a text", "another"])

    def never(*_args: object, **_options: object) -> None:
        raise AssertionError("embedded twice")

    monkeypatch.setattr(vectors, "embed", never)
    assert (vectors.stored_vectors(store, shelf, DIGEST, ["a text", "another"]) == first).all()
    with pytest.raises(IntegrityError, match="expected"):
        vectors.stored_vectors(store, shelf, DIGEST, ["a text"])
