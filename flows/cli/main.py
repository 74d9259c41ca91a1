"""All commands of `assay`, wired together."""

import typer

from flows.cli import audit, doctor, keys, release, run, stack

app = typer.Typer(
    name="assay",
    help="LLM lifecycle pipelines whose gates hold: develop, fine-tune, validate, deploy, operate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("up")(stack.up)
app.command("down")(stack.down)
app.command("status")(stack.status)
app.command("doctor")(doctor.doctor)
app.add_typer(release.app, name="release", help="Look at releases and decide on them.")
app.add_typer(audit.app, name="audit", help="Prove what happened.")
app.add_typer(keys.app, name="keys", help="API keys of the gateway.")


def main() -> None:
    """Entry point of the script `assay`."""
    app()
