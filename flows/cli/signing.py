"""`assay signing show|rotate`: the key with which this installation signs."""

from typing import Annotated

import typer

from flows.cli.project import Call, in_project

app = typer.Typer(no_args_is_help=True)


@app.command()
@in_project
def show(call: Call) -> None:
    """Who signs here, and which earlier keys still count."""
    from infra.signing.choose import open_signer
    from infra.signing.keys import ensure_key
    from infra.signing.rotation import retired_keys

    workspace = call.workspace
    own = ensure_key(workspace.home, workspace.project.signing.passphrase or "").key_id
    signer = open_signer(workspace.project).identity
    retired = [key.key_id for key in retired_keys(workspace.keys) if key.key_id != own]
    lines = [f"releases are signed by {signer}", f"key of this installation: {own}"]
    lines += [f"replaced, still counts: {key_id}" for key_id in retired]
    call.emit({"signer": str(signer), "installation": own, "retired": retired}, text="\n".join(lines))


@app.command()
@in_project
def rotate(
    call: Call,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the ledger.")],
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Void all that the old key signed, releases too.")
    ] = False,
) -> None:
    """Sign with a new key from now on; what the old one signed stays valid, unless it is compromised."""
    from infra.errors import ConfigError
    from infra.ledger import local_actor
    from infra.locks import hold
    from tasks.deploy.rollback import LOCK_WAIT_S
    from tasks.deploy.rotation import replace_signing_key

    if len(reason.strip()) < 3:
        raise ConfigError("a rotation needs a reason", hint="--reason 'why'")
    workspace = call.workspace
    name = f"deploy-{workspace.project.name}"
    with hold(workspace.run, name, "assay signing rotate", wait_s=LOCK_WAIT_S):
        rotated = replace_signing_key(workspace, actor=local_actor(), reason=reason, compromised=compromised)
    lines = [f"signs now: {rotated.new}", f"replaced: {rotated.old}"]
    if compromised:
        lines.append("nothing that the old key signed counts any more")
        lines.append("  → assay run lifecycle makes the release again")
    content = {"installation": rotated.new, "replaced": rotated.old, "compromised": compromised}
    call.emit(content, text="\n".join(lines))
