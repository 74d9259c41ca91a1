"""A setting's value puts a control in force or it does not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.config.conditions import Condition


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ({"at_least": 5}, 4),
        ({"at_least": 5}, None),
        ({"at_least": 1}, True),
        ({"at_most": 5}, 6.5),
        ({"at_most": 5}, "4"),
        ({"equals": True}, 1),
        ({"equals": True}, None),
        ({"one_of": ["person"]}, "auto"),
        ({"not_empty": True}, ()),
        ({"not_empty": True}, None),
        ({"not_empty": True}, ""),
        ({"every": "digest"}, []),
        ({"every": "digest"}, [{"digest": "x"}, {"digest": None}]),
        ({"every": "digest"}, [{"digest": "x"}, {}]),
        ({"every": "digest"}, "digest"),
        ({"file_holds": ["roles"]}, Path("absent.yaml")),
        ({"file_holds": ["roles", "keys"]}, Path("some.yaml")),
        ({"file_holds": ["empty"]}, Path("some.yaml")),
        ({"file_holds": ["roles"]}, "some.yaml"),
    ],
)
def test_values_that_do_nothing(tmp_path: Path, condition: dict[str, Any], value: object) -> None:
    (tmp_path / "some.yaml").write_text("roles: {a: 1}\nempty: []\n")
    assert Condition.model_validate(condition).fails(value, tmp_path.joinpath)


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ({"at_least": 5}, 5),
        ({"at_most": 5}, 0.5),
        ({"equals": True}, True),
        ({"equals": None}, None),
        ({"one_of": ["person", "two"]}, "two"),
        ({"not_empty": True}, ("MIT",)),
        ({"every": "digest"}, ({"digest": "x"},)),
        ({"file_holds": ["roles"]}, Path("some.yaml")),
    ],
)
def test_values_in_force(tmp_path: Path, condition: dict[str, Any], value: object) -> None:
    (tmp_path / "some.yaml").write_text("roles: {a: 1}\n")
    assert Condition.model_validate(condition).fails(value, tmp_path.joinpath) is None


@pytest.mark.parametrize("condition", [{}, {"at_least": 1, "at_most": 2}, {"not_empty": False}, {"over": 1}])
def test_a_condition_is_exactly_one_test(condition: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(condition)
