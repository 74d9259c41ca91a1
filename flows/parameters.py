"""The flat parameters of every flow, with the choices that the UI offers."""

from typing import TYPE_CHECKING, Literal

from infra.config import profile_names, project_names

if TYPE_CHECKING:
    ProjectName = str
    ProfileName = str
else:
    # Read from configs/ when the flow is loaded: a new project or profile is a choice without code.
    ProjectName = Literal[tuple(project_names())]
    ProfileName = Literal[tuple(profile_names())]
