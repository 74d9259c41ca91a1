"""What the UI offers is what exists."""

from typing import get_args

from flows.parameters import ProfileName, ProjectName
from infra.config import profile_names, project_names


def test_choices_are_the_configured_projects_and_profiles() -> None:
    assert list(get_args(ProfileName)) == profile_names()
    assert list(get_args(ProjectName)) == project_names()
    assert {"embedded", "production", "blocked"} <= set(profile_names())
    assert {"default", "weakness"} <= set(project_names())
