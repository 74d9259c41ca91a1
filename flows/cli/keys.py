"""`assay keys create|rotate|revoke|list`: who may use the gateway."""

from typing import Annotated

import typer

from flows.cli.output import Json, emit, explained
from infra.config import state_home
from infra.gateway.keys import KeyStore

app = typer.Typer(no_args_is_help=True)


def _keys() -> KeyStore:
    return KeyStore(state_home() / "keys" / "gateway-keys.json")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use the key.")],
    scope: Annotated[list[str] | None, typer.Option(help="Scope; repeat for several.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until the key expires.")] = None,
    as_json: Json = False,
) -> None:
    """Create a key; its secret is shown once and kept only as a hash."""
    from datetime import UTC, datetime, timedelta

    with explained(as_json):
        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        key_id, secret = _keys().create(name, scopes=tuple(scope or ("models",)), expires=expires)
        emit({"id": key_id, "key": secret}, as_json=as_json, text=secret)


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="Id of the key.")],
    grace_hours: Annotated[
        float, typer.Option(min=0, help="Hours for which the old secret stays valid; 0: it ends now.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Draw a new secret with the same name, scopes and expiry; shown once."""
    from datetime import timedelta

    with explained(as_json):
        fresh, secret = _keys().rotate(key_id, timedelta(hours=grace_hours))
        emit({"id": fresh, "key": secret, "replaces": key_id}, as_json=as_json, text=secret)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Id of the key.")], as_json: Json = False) -> None:
    """Revoke a key at once."""
    with explained(as_json):
        _keys().revoke(key_id)
        emit({"revoked": key_id}, as_json=as_json, text=f"revoked {key_id}")


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List keys: never their secrets."""
    from datetime import UTC, datetime

    with explained(as_json):
        found = _keys().list()
        now = datetime.now(UTC)
        lines = [f"{k.id}  {k.state(now):<8} {k.name:<24} {','.join(k.scopes)}" for k in found]
        rows = [
            {
                "id": k.id,
                "name": k.name,
                "scopes": k.scopes,
                "state": k.state(now),
                "created": k.created,
                "expires": k.expires,
            }
            for k in found
        ]
        emit(rows, as_json=as_json, text="\n".join(lines) or "no keys")
