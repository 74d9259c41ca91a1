"""A decision from the command line: under which profile it was asked, who signs it, which run then goes on.

state = cast_signed(workspace, release, answer, signer_for(workspace, "ada", None))
resume_deploy(workspace, release)          # a decision stands without it: a run that starts later finds it
"""

import time
from pathlib import Path

from infra.digest import hex_of
from infra.errors import ConfigError, DataError, Unavailable
from infra.signing.keys import PRIVATE_NAME, load_private_key
from infra.signing.signer import KeySigner, Signer
from infra.workspace import Workspace

_WAIT_S, _POLL_S = 10.0, 0.5
_AGAIN = "a new one goes on from there: assay run deploy"
_FORM = {"approver": "-", "decision": "reject", "reason": "see the ledger", "code": "-"}


def asked_under(workspace: Workspace, release: str) -> str:
    """The profile of the deploy run that asked; raises DataError when the release does not wait."""
    state = workspace.state().releases[release]
    if state.state != "awaiting-approval":
        raise DataError(f"{release} does not wait for a decision: it is {state.state}")
    return str(state.details.get("profile") or workspace.project.profile)


def signer_for(
    workspace: Workspace, name: str, key: Path | None, *, passphrase: str = "", token: str = ""
) -> Signer:
    """The identity behind a token, the key that is named, or the approver's own key on this machine.

    `passphrase` and `token` are secret references. Raises ConfigError, IntegrityError.
    """
    if token:
        return _keyless(workspace, token)
    from tasks.deploy.voting.seeds import approver_directory

    file = key or approver_directory(workspace.home, name) / PRIVATE_NAME
    if not file.exists():
        raise ConfigError(
            f"no private key of {name!r}: {file}",
            hint=f"--key FILE, or make one: assay approver add {name}; with one-time codes: the Prefect UI",
        )
    return KeySigner(load_private_key(file, passphrase))


def _keyless(workspace: Workspace, token: str) -> Signer:
    from infra.signing.keyless import KeylessSigner

    project = workspace.project
    policy, root = project.path(project.trust), workspace.trust.policy.trusted_root
    if root is None:
        raise ConfigError(
            f"{policy} has no trusted_root: no keyless decision can be verified",
            hint="name the client trust configuration of your Sigstore there",
        )
    return KeylessSigner(token, policy.parent / root)


def resume_deploy(workspace: Workspace, release: str) -> str:
    """Let the deploy run of a decided release go on; returns its id.

    Raises DataError when none waits, Unavailable when Prefect does not answer or the run is still at work.
    """
    import httpx
    from prefect.client.orchestration import get_client

    from flows.start import deploy_runs

    unit = str(workspace.state().releases[release].details.get("unit", ""))
    deadline = time.monotonic() + _WAIT_S
    try:
        while True:
            runs = [run for run in deploy_runs(unit) if run.state is not None and not run.state.is_final()]
            waiting = [run for run in runs if run.state is not None and run.state.is_paused()]
            if waiting:
                with get_client(sync_client=True) as client:
                    # The run looks into the ledger first: what the form says here is not read any more.
                    answer = client.resume_flow_run(waiting[0].id, run_input=dict(_FORM))
                # Prefect answers 200 to a form that it refuses: the status tells.
                if answer.status.value == "ACCEPT":
                    return str(waiting[0].id)
            if not runs:
                raise DataError(f"no deploy run waits for {hex_of(release)[:12]}", hint=_AGAIN)
            if time.monotonic() > deadline:
                raise Unavailable(f"deploy run {runs[0].id} is at work", hint="see it in the Prefect UI")
            time.sleep(_POLL_S)
    except httpx.HTTPError as error:
        raise Unavailable(f"Prefect does not answer: {type(error).__name__}", hint=_AGAIN) from error
