"""The schema files: in step with the code, and fit for what they describe."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.config.load import REPOSITORY
from infra.config.schema import SCHEMA_FILE, main, project_schema


def test_schema_file_is_in_step_with_the_code() -> None:
    assert main(["--check"]) == 0, "run: python -m infra.config.schema --write"


def test_check_refuses_an_absent_or_altered_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "project.schema.json"
    assert main(["--check"], file=file) == 2
    assert main(["--write"], file=file) == 0
    assert main(["--check"], file=file) == 0
    file.write_text(file.read_text().replace("epochs", "epoch"))
    assert main(["--check"], file=file) == 2
    assert "does not match the code" in capsys.readouterr().err


def test_what_the_loader_sets_is_not_offered() -> None:
    schema = project_schema()
    assert not {"home", "root", "file", "profile"} & set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_every_setting_with_a_unit_is_described() -> None:
    for name, section in project_schema()["$defs"].items():
        assert section.get("description"), name


@pytest.mark.parametrize("file", sorted((REPOSITORY / "configs").glob("**/project.yaml")), ids=str)
def test_shipped_projects_fit_the_schema(file: Path) -> None:
    validator = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
    values = yaml.safe_load(file.read_text())
    assert list(validator.iter_errors(values)) == []
    assert list(validator.iter_errors({**values, "traning": {}}))
