"""`assay sigstore dev|token`: a Sigstore of your own, for trying keyless signing. NOT FOR PRODUCTION."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.output import Json, emit, explained
from infra.config import state_home

app = typer.Typer(no_args_is_help=True)

Directory = Annotated[
    Path | None,
    typer.Option("--directory", help="Where clients find it; default: ASSAY_HOME/sigstore."),
]
_PORT = 8766


@app.command()
def dev(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0: any free one.")] = _PORT,
    directory: Directory = None,
    rekor: Annotated[int, typer.Option(min=1, max=2, help="Version of Rekor that clients log into.")] = 2,
    as_json: Json = False,
) -> None:
    """Run a private Sigstore until you stop it: issuer, Fulcio, Rekor, timestamps. NOT FOR PRODUCTION."""
    import signal
    import threading

    from infra.sigstore_dev import serving
    from infra.sigstore_dev.client_files import published

    place = _place(directory)
    with explained(as_json):
        stop = threading.Event()
        # Explicit: what a shell starts in the background has SIGINT ignored, and nothing else would end it.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with serving(port) as instance, published(instance, place, 1 if rekor == 1 else 2) as config:
            option = f" --directory {place}" if directory else ""
            text = (
                "private Sigstore, NOT FOR PRODUCTION: its keys live in memory, and it believes whoever\n"
                f"can read {place}\n"
                f"  address       {instance.url}\n"
                f"  trust config  {config}\n"
                f"  a token       assay sigstore token you@example.com{option}\n"
                "Ctrl-C stops it; what it signed can still be verified with the trust config."
            )
            emit({"url": instance.url, "trust_config": str(config)}, as_json=as_json, text=text)
            stop.wait()
        typer.echo("stopped", err=True)


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="E-mail address of a person, or https:// URI of a job.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="Write it here, mode 0600, instead of printing it.")
    ] = None,
    directory: Directory = None,
    as_json: Json = False,
) -> None:
    """Get an identity token, good for ten minutes, from the private Sigstore that runs."""
    from infra import atomic
    from infra.sigstore_dev.client_files import request_token

    with explained(as_json):
        made = request_token(_place(directory), subject)
        if output is None:
            emit({"token": made}, as_json=as_json, text=made)
        else:
            atomic.write_text(output, made + "\n", mode=0o600)
            emit({"output": str(output)}, as_json=as_json, text=str(output))


def _place(directory: Path | None) -> Path:
    return directory.absolute() if directory else state_home() / "sigstore"
