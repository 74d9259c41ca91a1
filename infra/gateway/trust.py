"""Which release may answer: its signature, its files and the ledger say so, or it is not routed.

routes = evaluate(snapshot, Trust(home, open_trust, ledger))
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from infra.digest import hex_of
from infra.errors import AssayError, ConfigError, IntegrityError, PromotionDenied, Unavailable
from infra.gateway.access import AccessPolicy
from infra.gateway.routes import EMPTY, RouteSnapshot
from infra.guard import GuardPolicy
from infra.ledger import Ledger
from infra.refusal import Reason, VerificationError

if TYPE_CHECKING:
    from infra.signing import TrustRoot

LIVE_STATES = frozenset({"champion"})
STAGED_STATES = frozenset({"champion", "approved"})
BANNED_STATES = frozenset({"quarantined", "rejected", "blocked"})
WITHDRAWN = frozenset({Reason.SIGNER_REVOKED, Reason.SIGNER_UNTRUSTED, Reason.RELEASE_REVOKED})
"""What ends the service of a release whose bytes were verified before."""

log = logging.getLogger("assay.gateway")


@dataclass(frozen=True)
class Route:
    """A release that may answer, with its own policies."""

    project: str
    release: str
    guard: GuardPolicy
    access: AccessPolicy


@dataclass(frozen=True)
class Refusal:
    """A release that a snapshot names and that must not answer."""

    release: str
    reason: str


@dataclass(frozen=True)
class Routes:
    """A snapshot after the checks; replaced whole, never changed."""

    snapshot: RouteSnapshot = EMPTY
    live: Mapping[str, Route | Refusal] = field(default_factory=dict)
    staged: Mapping[str, Route | Refusal] = field(default_factory=dict)
    """By digest: what keys with scope `staged` may ask."""

    @property
    def refusals(self) -> dict[str, str]:
        """`{name or digest: reason}` of what is not served."""
        both = {**self.staged, **self.live}
        return {name: each.reason for name, each in both.items() if isinstance(each, Refusal)}


@dataclass(frozen=True)
class Trust:
    """Where releases lie and what decides about them."""

    home: Path
    root: "Callable[[], TrustRoot]"
    """Opens the trust policy anew: a revocation holds from the next check on."""
    ledger: Ledger

    def admit(self, release: str, states: Collection[str], project: str | None = None) -> Route:
        """The route to a release.

        Raises IntegrityError when its signature or files are wrong, PromotionDenied when the ledger does not
        allow it, ConfigError for unusable policies, Unavailable when the ledger does not answer.
        """
        from infra.signing import Expectation, read_part, verify_manifest
        from infra.signing import manifest as layout

        directory = self.home / "releases" / hex_of(release)
        expect = Expectation(release=release, project=project)
        manifest = verify_manifest(directory, trust=self.root(), expect=expect)
        state = self.ledger.state(manifest.project).of(release)
        if state not in states:
            raise PromotionDenied(
                f"{release} is {state or 'unknown'} in the ledger, expected {' or '.join(sorted(states))}",
                hint="only `assay run deploy` and `assay release rollback` put a release live",
            )
        return Route(
            manifest.project,
            release,
            GuardPolicy.from_yaml(read_part(directory, manifest, layout.GUARD)),
            AccessPolicy.from_yaml(read_part(directory, manifest, layout.ACCESS)),
        )

    def banned(self, route: Route) -> str | None:
        """Why the ledger, or a revocation, forbids a release that was admitted before, or None."""
        state = self.ledger.state(route.project).of(route.release)
        if state in BANNED_STATES:
            return f"{route.release} is {state} in the ledger"
        return self._revoked(route.release)

    def _revoked(self, release: str) -> str | None:
        from infra.signing import verify_manifest

        try:
            verify_manifest(self.home / "releases" / hex_of(release), trust=self.root(), in_force=False)
        except VerificationError as error:
            return error.message if error.reason in WITHDRAWN else None
        except (ConfigError, IntegrityError) as error:
            # A policy that somebody is writing at this moment withdraws nothing; it admits nothing either.
            log.error("revocations cannot be read: %s", error.message)
        return None


def evaluate(snapshot: RouteSnapshot, trust: Trust) -> Routes:
    """Check every release that a snapshot serves; raises Unavailable when the ledger does not answer."""
    live = {
        name: _admit_or_refuse(trust, release, LIVE_STATES, name) for name, release in snapshot.models.items()
    }
    staged = {release: _admit_or_refuse(trust, release, STAGED_STATES, None) for release in snapshot.staged}
    return Routes(snapshot, live, {**{each.release: each for each in live.values()}, **staged})


def _admit_or_refuse(
    trust: Trust, release: str, states: Collection[str], project: str | None
) -> Route | Refusal:
    try:
        return trust.admit(release, states, project)
    except Unavailable:
        raise
    except AssayError as error:
        return Refusal(release, error.message)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong while trust is decided: no trust
        return Refusal(release, f"cannot be checked: {type(error).__name__}: {error}")
