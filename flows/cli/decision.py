"""`assay release approve|reject`: a decision, signed by whoever makes it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.cli.environment import enter_stack
from flows.cli.project import Call, in_project
from flows.cli.release import Person, Reason, ReleaseArgument, resolve
from infra.errors import ConfigError

if TYPE_CHECKING:
    from infra.workspace import Workspace
    from tasks.deploy.voting.attempts import Answer

Delegator = Annotated[str, typer.Option("--for", help="In whose place, by a delegation in approvers.yaml.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="Your private key; default: the one made here for your name.")
]
Passphrase = Annotated[str, typer.Option(help="Where the key's passphrase is: env:NAME or file:PATH.")]
Token = Annotated[
    str, typer.Option(help="Sign without a key: where the OIDC token is, env:NAME, file:PATH or ambient.")
]


@dataclass(frozen=True)
class _Proof:
    """What the approver signs with."""

    key: Path | None
    passphrase: str
    token: str


@in_project
def approve(
    call: Call,
    release: ReleaseArgument,
    reason: Reason,
    person: Person = None,
    key: KeyFile = None,
    passphrase: Passphrase = "",
    token: Token = "",
    delegator: Delegator = "",
) -> None:
    """Sign an approval of a release that waits, by key or identity; its deploy run goes on."""
    _decide(call, release, _answer("approve", reason, person, delegator), _Proof(key, passphrase, token))


@in_project
def reject(
    call: Call,
    release: ReleaseArgument,
    reason: Reason,
    person: Person = None,
    key: KeyFile = None,
    passphrase: Passphrase = "",
    token: Token = "",
    delegator: Delegator = "",
) -> None:
    """Sign a rejection of a release that waits, by key or identity; its deploy run ends Rejected."""
    _decide(call, release, _answer("reject", reason, person, delegator), _Proof(key, passphrase, token))


def _answer(
    decision: Literal["approve", "reject"], reason: str, person: str | None, delegator: str
) -> "Answer":
    from infra.ledger import local_actor
    from tasks.deploy.voting.attempts import Answer

    if len(reason.strip()) < 3:
        raise ConfigError("a decision needs a reason", hint="--reason 'why'")
    return Answer(approver=person or local_actor(), decision=decision, reason=reason, on_behalf_of=delegator)


def _decide(call: Call, release: str, answer: "Answer", proof: _Proof) -> None:
    from flows.decide import asked_under, signer_for
    from infra.workspace import open_workspace
    from tasks.deploy.voting.cast import cast_signed
    from tasks.deploy.voting.question import question_of

    workspace = call.workspace
    digest = resolve(workspace.state(), release)
    # The rules are those of the profile that asked: a decision cannot choose easier ones.
    workspace = open_workspace(call.name, asked_under(workspace, digest))
    question_of(workspace, digest)
    who = answer.approver
    signer = signer_for(workspace, who, proof.key, passphrase=proof.passphrase, token=proof.token)
    state = cast_signed(workspace, digest, answer, signer)
    content = {"release": digest, "decision": answer.decision, "by": who, "state": state.state}
    if state.state == "awaiting-approval":
        takes = question_of(workspace, digest).takes
        call.emit(content, text=f"{answer.decision} by {who} is recorded; {takes}")
        return
    goes_on = _go_on(workspace, digest)
    text = f"{state.state} by {state.actor}; {goes_on}"
    call.emit({**content, "deploy": goes_on}, text=text)


def _go_on(workspace: "Workspace", release: str) -> str:
    """Wake the deploy run; the decision stands without it, so that a failure is reported, not raised."""
    from infra.errors import AssayError
    from infra.stack import endpoints

    try:
        enter_stack(workspace.home, endpoints(workspace.home))
        from flows.decide import resume_deploy

        return f"deploy run {resume_deploy(workspace, release)} goes on"
    except AssayError as error:
        return f"its deploy run does not go on by itself: {error.diagnostics()}"
