"""The checks of the evaluation and of the candidate's papers, whole, on a tiny model that is really asked."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import IntegrityError
from infra.workspace import open_workspace
from tasks.records import Evidence, FineTuned
from tasks.validate.review import check as review
from tasks.validate.runner.admission import admit
from tasks.validate.security import check as security
from tests.integration.validate.tiny_unit import TinyUnit, make_unit


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, TinyUnit]]:
    root = tmp_path_factory.mktemp("unit")
    with pytest.MonkeyPatch.context() as patch:
        yield root / "home", make_unit(root, patch)


@pytest.fixture
def unit(made: tuple[Path, TinyUnit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyUnit:
    """In a copy of the installation, to break at will."""
    home, original = made
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return TinyUnit(open_workspace("default", "embedded"), original.candidate)


def reviewed(unit: TinyUnit) -> dict[str, Evidence]:
    """What the parent would admit."""
    evidence = review.CHECK.run(unit.workspace, unit.candidate)
    raw = [item.model_dump() for item in evidence]
    return {item.metric: item for item in admit(review.CHECK, raw, unit.candidate.unit)}


def test_a_sound_evaluation_of_a_real_model(unit: TinyUnit) -> None:
    found = reviewed(unit)
    assert found["evaluation_review"].value == 1.0
    assert "looked at 1 times, no judge is configured" in found["evaluation_review"].method
    assert found["detector_self_test"].value == 1.0
    assert found["order_effect"].n == 40
    assert found["label_noise"].n == 40
    assert set(found["label_noise"].slices) == set(unit.candidate.prompt.labels)
    # Asked again, the kept answers are the same, and no look is added.
    again = reviewed(unit)
    assert again == found


def test_what_was_told_about_contamination_is_missing(unit: TinyUnit) -> None:
    tuned = unit.workspace.handover.get("finetuned", FineTuned)
    assert tuned is not None
    unit.workspace.handover.put("finetuned", tuned.model_copy(update={"evidence": ()}))
    found = reviewed(unit)["evaluation_review"]
    assert found.value == 0.8
    assert "contamination: told 0 times" in found.method


def test_a_split_that_was_altered_is_refused(unit: TinyUnit) -> None:
    stored = unit.workspace.store.path_of(unit.candidate.dataset.splits["train"])
    stored.chmod(0o600)
    stored.write_bytes(stored.read_bytes() + b"x")
    with pytest.raises(IntegrityError):
        review.CHECK.run(unit.workspace, unit.candidate)


def test_another_guard_than_the_candidate_s_is_refused(unit: TinyUnit) -> None:
    other = unit.candidate.model_copy(update={"guard": "sha256:" + 64 * "0"})
    with pytest.raises(IntegrityError, match="guard policy"):
        review.CHECK.run(unit.workspace, other)


def test_every_paper_of_the_candidate_is_in_order(unit: TinyUnit) -> None:
    (item,) = security.CHECK.run(unit.workspace, unit.candidate)
    assert item.method.startswith("complete count; ")
    assert (item.value, item.lower) == (1.0, 1.0), item.method
    assert item.n == len(unit.candidate.requirements.controls) + 8
    assert {"gate", "setting", "code", "test", "licence", "files", "prompt", "documents"} == set(item.slices)


def test_a_control_that_was_switched_off_since(unit: TinyUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_DATA__MIN_ROWS", "1")
    (item,) = security.CHECK.run(open_workspace("default", "embedded"), unit.candidate)
    assert item.value < 1.0
    assert "dataset-quality: data.min_rows: got 1, expected at least 50" in item.method


def test_requirements_that_are_not_in_the_store(unit: TinyUnit) -> None:
    gone = unit.candidate.requirements.model_copy(update={"digest": "sha256:" + 64 * "0"})
    with pytest.raises(IntegrityError):
        security.CHECK.run(unit.workspace, unit.candidate.model_copy(update={"requirements": gone}))
