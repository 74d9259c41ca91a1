"""Back to a release that was champion before: verify, load, one ledger entry, routes. Seconds, no gap.

roll_back(workspace, endpoints, actor="ada", reason="wrong answers since 14:00")
"""

from infra.digest import hex_of
from infra.errors import PromotionDenied
from infra.ledger import Kind
from infra.signing import verify_manifest
from infra.stack import Endpoints
from infra.workspace import Workspace
from tasks.deploy.rollout import load_resident, reconcile
from tasks.records import Rollout

# A deploy run that has just promoted a release still moves routes and aliases: a rollback waits for that.
LOCK_WAIT_S = 120.0


def roll_back(
    workspace: Workspace, endpoints: Endpoints, *, actor: str, reason: str, to: str | None = None
) -> Rollout:
    """Restore `to` (default: the champion before this one).

    The old champion serves until the restored one is verified and loaded. Raises PromotionDenied when
    there is nothing to go back to, IntegrityError when the restored release does not verify.
    """
    state = workspace.state()
    if state.champion is None:
        raise PromotionDenied("nothing to roll back: no release is live", hint="see `assay release list`")
    target = to or state.previous
    if target is None:
        raise PromotionDenied(
            "nothing to roll back to: this is the first champion",
            hint="name one with --to, or deploy another",
        )
    if target == state.champion:
        raise PromotionDenied(f"{target} is live already", hint="see `assay release list`")
    if state.of(target) not in ("superseded", "rolled-back"):
        raise PromotionDenied(
            f"cannot roll back to {target}: it is {state.of(target) or 'unknown'}",
            hint="only a release that was champion before, and is not quarantined, can be restored",
        )
    verify_manifest(workspace.releases / hex_of(target), trust=workspace.trust)
    load_resident(workspace, endpoints, target)
    workspace.ledger.append(
        Kind.ROLLED_BACK,
        project=workspace.project.name,
        subject=state.champion,
        actor=actor,
        reason=reason,
        details={"restores": target},
        expected_head=state.head,
    )
    return reconcile(workspace, endpoints)
