"""`assay approver add|list|rotate`: how people prove who they are when they decide on a release."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.deploy.voting.rules import Rules

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Small letters, digits, hyphens; as in approvers.yaml.")]


@app.command()
def add(
    name: Name,
    key: Annotated[bool, typer.Option(help="Make a key pair: signs `assay release approve`.")] = True,
    totp: Annotated[
        bool, typer.Option(help="Make a seed of one-time codes: for the form in the UI.")
    ] = False,
    role: Annotated[str, typer.Option(help="Role in the lines that are printed.")] = "release-manager",
    as_json: Json = False,
) -> None:
    """Make what proves who decides; print the lines for approvers.yaml. The configuration is not changed."""
    from infra.config import state_home
    from infra.errors import ConfigError
    from infra.signing.keys import create_key
    from tasks.deploy.voting.seeds import approver_directory, create_seed, seed_file

    with explained(as_json):
        _check_name(name)
        if not key and not totp:
            raise ConfigError("nothing to make", hint="--key, --totp or both")
        home, lines, content = state_home(), [], {"approver": name}
        if key:
            pair = create_key(approver_directory(home, name))
            content |= {"private": str(pair.private), "public": str(pair.public), "id": pair.key_id}
            lines.append(f"    key: {pair.public}")
        if totp:
            seed = create_seed(home, name)
            content["totp"] = f"file:{seed_file(home, name)}"
            lines.append(f"    totp: {content['totp']}")
            _show_on_terminal(seed, name, as_json)
        listed = "\n".join(("approvers:", f"  {name}:", f"    roles: [{role}]", *lines))
        emit(content, as_json=as_json, text=f"write into approvers.yaml:\n{listed}")


@app.command()
def rotate(name: Name, as_json: Json = False) -> None:
    """Another seed of one-time codes: the authenticator has to scan again, old codes count no more."""
    from infra.config import state_home
    from tasks.deploy.voting.seeds import rotate_seed, seed_file

    with explained(as_json):
        _check_name(name)
        seed = rotate_seed(state_home(), name)
        _show_on_terminal(seed, name, as_json)
        file = seed_file(state_home(), name)
        emit({"approver": name, "totp": f"file:{file}"}, as_json=as_json, text=f"new seed in {file}")


@app.command("list")
def list_approvers(
    project: ProjectOption = "default", profile: ProfileOption = "embedded", as_json: Json = False
) -> None:
    """Who may decide under a profile, how each can prove it, and what an approval takes."""
    from infra.config import load_project
    from tasks.deploy.voting.rules import rules_of

    with explained(as_json):
        loaded = load_project(project, profile=profile)
        rules = rules_of(loaded)
        content = {**rules.model_dump(mode="json"), "digest": rules.digest}
        emit(content, as_json=as_json, text="\n".join(_lines(rules, loaded.path(loaded.approvers))))


def _lines(rules: "Rules", file: "Path") -> list[str]:
    if rules.policy == "auto":
        head = f"profile {rules.profile}: nobody is asked"
    else:
        each = f", one each of {', '.join(rules.one_of_each)}" if rules.one_of_each else ""
        eyes = "four eyes" if rules.four_eyes else "without four eyes"
        head = f"profile {rules.profile}: {rules.quorum} of {len(rules.deciders)} approve{each}; {eyes}"
        if rules.quorum > len(rules.voters):
            head += "\n  → cannot be met: fewer approvers than approvals that it takes"
    rows = [
        f"{name:<20} {', '.join(voter.roles) or '-':<28} {', '.join(voter.methods)}"
        for name, voter in sorted(rules.voters.items())
    ]
    lent = [f"{d.delegate} for {d.delegator} until {d.until.isoformat()}" for d in rules.delegations]
    return [head, *(rows or [f"no approver in {file}"]), *lent]


def _check_name(name: str) -> None:
    import re

    from infra.errors import ConfigError

    if not re.fullmatch(r"[a-z][a-z0-9-]{0,62}", name):
        raise ConfigError(f"{name!r} is no name", hint="small letters, digits and hyphens")


def _show_on_terminal(seed: str, name: str, as_json: bool) -> None:
    """The seed for an authenticator: to a person's eyes, never into a pipe, a file or a log."""
    if as_json or not sys.stdout.isatty():
        typer.echo(
            f"the seed is shown on a terminal only; for a new one, shown: assay approver rotate {name}",
            err=True,
        )
        return
    import segno

    from tasks.deploy.voting.codes import provisioning_uri

    uri = provisioning_uri(seed, name, "Assay")
    segno.make(uri).terminal(out=sys.stdout, compact=True)
    typer.echo(uri)
