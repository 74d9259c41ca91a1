"""What every command about a project shares: its options, the open workspace, errors without a traceback.

@app.command()
@in_project
def show(call: Call, version: str = "latest") -> None:
    call.emit({"version": version}, text=version)      # call.workspace, call.project, call.as_json
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained

if TYPE_CHECKING:
    from infra.config import Project
    from infra.workspace import Workspace

P = ParamSpec("P")


@dataclass(frozen=True)
class Call:
    """One call of a command; what it does not ask for is not opened."""

    name: str
    """Name of the project's configuration."""
    profile: str
    as_json: bool

    @cached_property
    def workspace(self) -> "Workspace":
        """The installation; raises ConfigError for a project or profile that there is not."""
        from infra.workspace import open_workspace

        return open_workspace(self.name, self.profile)

    @property
    def project(self) -> "Project":
        """The settings alone, without an installation; raises ConfigError as `workspace` does."""
        from infra.config import load_project

        return load_project(self.name, profile=self.profile)

    def emit(self, content: Any, *, text: str) -> None:
        """Print `content` as JSON or `text` as it is, as the person asked."""
        emit(content, as_json=self.as_json, text=text)


def in_project(command: Callable[Concatenate[Call, P], None]) -> Callable[..., None]:
    """The command with the options --project, --profile and --json behind its own."""
    _, *own = inspect.signature(command).parameters.values()
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, default, annotation in (
            ("project", "default", ProjectOption),
            ("profile", "embedded", ProfileOption),
            ("as_json", False, Json),
        )
    ]

    def run(*, project: str, profile: str, as_json: bool, **given: Any) -> None:
        with explained(as_json):
            command(Call(project, profile, as_json), **given)  # type: ignore[call-arg]  # `own`

    # Typer reads the signature for its options, and the name and the first lines for its help.
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own] + shared
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    return run
