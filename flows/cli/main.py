"""All commands of `assay`, wired together."""

import typer

from flows.cli import (
    approver,
    audit,
    base,
    card,
    containment,
    data,
    decision,
    doctor,
    evaluate,
    gates,
    keys,
    prompt,
    quarantine,
    redteam,
    release,
    run,
    signing,
    sigstore,
    stack,
    store,
    threats,
    waiver,
)

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
app.command("evaluate")(evaluate.evaluate)
app.command("redteam")(redteam.redteam)
app.add_typer(data.app, name="data", help="Prepare data, look at versions, compare them.")
app.add_typer(prompt.app, name="prompt", help="Lint, render and compare prompt templates.")
app.add_typer(base.app, name="base", help="Candidates for the base model, checked and scored.")
app.add_typer(threats.app, name="threats", help="The threat model and what proves its controls.")
app.add_typer(quarantine.app, name="quarantine", help="Training rows under suspicion: decide on them.")
app.add_typer(gates.app, name="gates", help="What a candidate has to show, in words.")
app.add_typer(waiver.app, name="waiver", help="Answer for an inconclusive gate, by signature, until a day.")
release.app.command("quarantine")(containment.quarantine)
release.app.command("approve")(decision.approve)
release.app.command("reject")(decision.reject)
app.add_typer(release.app, name="release", help="Look at releases and decide on them.")
app.add_typer(approver.app, name="approver", help="Who may decide, and how each proves who they are.")
app.add_typer(card.app, name="card", help="The page on which a release is decided.")
app.add_typer(audit.app, name="audit", help="Prove what happened.")
app.add_typer(store.app, name="store", help="The store: what it can do, its bucket, archived releases.")
app.add_typer(keys.app, name="keys", help="API keys of the gateway.")
app.add_typer(signing.app, name="signing", help="The key with which this installation signs.")
app.add_typer(sigstore.app, name="sigstore", help="A private Sigstore, for trying keyless signing.")


def main() -> None:
    """Entry point of the script `assay`."""
    app()
