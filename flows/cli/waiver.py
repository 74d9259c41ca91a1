"""`assay waiver key|sign|list`: answer for one inconclusive gate of one candidate, until a day."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.output import Json, emit, explained
from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from infra.workspace import Workspace
    from tasks.records import Waiver

app = typer.Typer(no_args_is_help=True)

Owner = Annotated[str, typer.Option(help="Who answers for it; the configuration must list their key.")]
Passphrase = Annotated[
    str, typer.Option(help="Where the key's passphrase is: env:NAME or file:PATH; default: it has none.")
]


@app.command()
def key(
    owner: Annotated[str, typer.Argument(help="Who will own the key: small letters, digits, hyphens.")],
    passphrase: Passphrase = "",
    as_json: Json = False,
) -> None:
    """Make a key pair for an owner on this machine; its public half goes into the configuration."""
    import re

    from infra.config import state_home
    from infra.errors import ConfigError
    from infra.signing.keys import create_key
    from tasks.validate.waivers import own_key

    with explained(as_json):
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,62}", owner):
            raise ConfigError(f"{owner!r} is no name", hint="small letters, digits and hyphens")
        pair = create_key(own_key(state_home(), owner), passphrase)
        content = {"owner": owner, "private": pair.private, "public": pair.public, "id": pair.key_id}
        setting = f"waivers: {{owners: {{{owner}: {pair.public}}}}}"
        emit(content, as_json=as_json, text=f"{pair.key_id}\nlist it in the project file:\n  {setting}")


@app.command()
@in_project
def sign(
    call: Call,
    gate: Annotated[str, typer.Argument(help="Name of the gate.")],
    candidate: Annotated[str, typer.Option(help="Digest of the candidate, or the start of its hex digits.")],
    owner: Owner,
    reason: Annotated[str, typer.Option(help="Why it is acceptable; in the report and in the ledger.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it counts (UTC).")],
    key_file: Annotated[
        Path | None, typer.Option("--key", help="Private key; default: the owner's key on this machine.")
    ] = None,
    passphrase: Passphrase = "",
) -> None:
    """Sign a waiver. It covers an inconclusive gate only, never one that fails."""
    from datetime import UTC

    from infra.signing.keys import PRIVATE_NAME
    from tasks.validate.waivers import make_waiver, own_key

    workspace = call.workspace
    waiver = _waiver(resolve(workspace, candidate), gate, owner, reason, until)
    secret = key_file or own_key(workspace.home, owner) / PRIVATE_NAME
    today = datetime.now(UTC).date()
    file = make_waiver(workspace, waiver, secret, today=today, passphrase=passphrase)
    content = {**waiver.model_dump(mode="json"), "file": str(file)}
    text = f"{owner} waives {gate} for {waiver.candidate} until {waiver.expires}\nwrote {file}"
    call.emit(content, text=text)


@app.command("list")
@in_project
def list_waivers(call: Call) -> None:
    """Signed waivers, and files that do not count with the reason."""
    from datetime import UTC

    from tasks.validate.waivers import waivers_of

    today = datetime.now(UTC).date()
    signed = waivers_of(call.workspace, today)
    rows = [
        {**waiver.model_dump(mode="json"), "file": file, "expired": waiver.expires < today}
        for file, waiver in signed.waivers.items()
    ]
    lines = [
        f"{row['candidate'][7:19]}  {row['gate']:<32} {row['owner']:<16} "
        f"{'expired' if row['expired'] else 'until  '} {row['expires']}  {row['reason']}"
        for row in rows
    ]
    lines += [f"does not count: {each.file}: {each.reason}" for each in signed.refused]
    refused = [each.model_dump(mode="json") for each in signed.refused]
    call.emit({"waivers": rows, "refused": refused}, text="\n".join(lines) or "no waivers")


def resolve(workspace: "Workspace", name: str) -> str:
    """A candidate by its whole digest, or the one that the ledger knows by these first digits.

    Raises DataError for none or several.
    """
    import re

    from infra.errors import DataError

    digits = name.removeprefix("sha256:").lower()
    if re.fullmatch(r"[0-9a-f]{64}", digits):
        return f"sha256:{digits}"
    known = [each for each in workspace.state().releases if each.startswith(f"sha256:{digits}")]
    if len(known) != 1 or len(digits) < 6:
        raise DataError(
            f"{len(known)} candidates start with {name!r}, expected one, by six digits or more",
            hint="the whole digest is in the gate report and in `assay release list`",
        )
    return known[0]


def _waiver(candidate: str, gate: str, owner: str, reason: str, until: datetime) -> "Waiver":
    from pydantic import ValidationError

    from infra.errors import ConfigError
    from tasks.records import Waiver

    try:
        return Waiver(
            candidate=candidate, gate=gate, owner=owner, reason=reason.strip(), expires=until.date()
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{name}: {first['msg']}", hint="one line that says why") from error
