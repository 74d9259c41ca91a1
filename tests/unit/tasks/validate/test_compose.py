"""The unit that is validated: made of exactly what develop and fine-tune handed over, or not at all."""

from pathlib import Path

import pytest

from infra.digest import digest_bytes
from infra.errors import DataError
from infra.workspace import Workspace, open_workspace
from tasks.records import Candidate, Developed, FineTuned
from tasks.records.provenance import Provenance
from tasks.validate.steps import compose_candidate
from tests.unit.tasks.deploy.samples import make_candidate

SOME, OTHER = digest_bytes(b"some"), digest_bytes(b"other")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return open_workspace("default", "embedded")


def handed_over(workspace: Workspace, **changes: str) -> None:
    """Develop's and fine-tune's records of one sample; `changes` are made to the adapter alone."""
    sample = make_candidate(SOME, OTHER)
    workspace.handover.put(
        "developed",
        Developed(
            dataset=sample.dataset,
            prompt=sample.prompt,
            base=sample.base,
            requirements=sample.requirements,
        ),
    )
    workspace.handover.put(
        "finetuned",
        FineTuned(
            adapter=sample.adapter.model_copy(update=changes),
            provenance=Provenance(adapter=OTHER, statement=SOME, mlbom=SOME, environment=SOME),
            evidence=(),
        ),
    )


def composed(workspace: Workspace) -> Candidate:
    found = compose_candidate.fn(workspace)  # type: ignore[attr-defined]
    assert isinstance(found, Candidate)
    return found


def test_nothing_handed_over_is_nothing_to_validate(workspace: Workspace) -> None:
    with pytest.raises(DataError, match="nothing to validate"):
        composed(workspace)


@pytest.mark.parametrize("part", ["base", "dataset", "prompt"])
def test_an_adapter_of_something_else_is_refused(workspace: Workspace, part: str) -> None:
    # As when a word of the prompt was changed and fine-tune has not run since.
    handed_over(workspace, **{part: OTHER if part == "base" else digest_bytes(b"changed")})
    with pytest.raises(DataError, match="trained on something else"):
        composed(workspace)


def test_whatever_is_served_is_part_of_the_unit(workspace: Workspace) -> None:
    handed_over(workspace)
    first = composed(workspace).unit
    assert composed(workspace).unit == first
    handed_over(workspace, digest=SOME)
    assert composed(workspace).unit != first
