"""How commands print: text for people, one JSON document for programs, errors without a traceback."""

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from infra.errors import AssayError
from infra.refusal import VerificationError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
ProjectOption = Annotated[
    str, typer.Option("--project", envvar="ASSAY_PROJECT", help="Project under configs/.")
]
ProfileOption = Annotated[
    str, typer.Option("--profile", envvar="ASSAY_PROFILE", help="Profile under configs/profiles/.")
]


def emit(content: Any, *, as_json: bool, text: str) -> None:
    """Print `content` as JSON or `text` as it is."""
    typer.echo(json.dumps(content, indent=2, sort_keys=True, default=str) if as_json else text)


@contextlib.contextmanager
def explained(as_json: bool = False) -> Iterator[None]:
    """Turn an AssayError into its diagnostics on standard error and its exit code."""
    try:
        yield
    except AssayError as error:
        if as_json:
            content = {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
            if isinstance(error, VerificationError):
                content["reason"] = error.reason.value
            typer.echo(json.dumps(content))
        typer.echo(f"error: {error.diagnostics()}", err=True)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        typer.echo("interrupted; run again to go on where this stopped", err=True)
        raise typer.Exit(130) from None
    finally:
        sys.stdout.flush()
