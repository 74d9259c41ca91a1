"""May this decision be entered, and what do all votes together decide: pure rules over ledger and approvers.

check_vote(entries, decision, rules, project="triage", now=now)     # DecisionRefused says why not
outcome(votes, rules, now)                                          # "approved", "rejected" or None
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from infra.errors import PromotionDenied
from infra.ledger import Entry, fold
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.rules import Rules, Voter
from tasks.deploy.voting.votes import Vote, binding_of, request_of, used_codes, votes_on
from tasks.records import Decision

_CLOCK_SKEW = timedelta(minutes=5)


def check_vote(
    entries: Sequence[Entry], decision: Decision, rules: Rules, *, project: str, now: datetime
) -> None:
    """Raises DecisionRefused unless this decision may be entered after these entries, now."""
    request = open_request(entries, project, decision.binding.release, rules, now)
    if rules.policy != "person":
        raise DecisionRefused(
            Why.WRONG_PROFILE, f"profile {rules.profile!r} decides by itself: nobody is asked under it"
        )
    if decision.binding != binding_of(request, rules):
        raise DecisionRefused(Why.WRONG_SUBJECT, _differs(decision, request, rules), hint="decide again")
    _check_times(decision, rules, now)
    voter = voter_of(rules, decision.approver)
    seat = _check_seat(decision, rules, now)
    if decision.method not in rules.methods or decision.method not in voter.methods:
        raise DecisionRefused(
            Why.METHOD,
            f"{decision.approver} cannot decide by {decision.method} under profile {rules.profile!r}",
            hint=f"ways that count: {', '.join(m for m in voter.methods if m in rules.methods) or 'none'}",
        )
    if decision.decision == "approve" and rules.four_eyes:
        _check_four_eyes(decision, request, (voter, seat))
    for vote in votes_on(entries, request):
        # Whoever approved and then sees a reason against it is heard.
        changed_mind = decision.decision == "reject" and vote.decision.decision == "approve"
        counts = _counts(vote.decision, rules, now) and not changed_mind
        if counts and _same_person(vote.decision, decision):
            raise DecisionRefused(
                Why.VOTED,
                f"{vote.decision.seat}'s vote is in: {vote.decision.decision} by {vote.decision.approver}"
                f" (ledger entry {vote.entry.seq})",
            )
    if decision.code is not None and decision.code in used_codes(entries):
        raise DecisionRefused(
            Why.REPLAYED, "this one-time code was used before", hint="wait for the next one"
        )


def open_request(entries: Sequence[Entry], project: str, release: str, rules: Rules, now: datetime) -> Entry:
    """The request that waits for an answer under these rules; raises DecisionRefused."""
    state = fold(project, entries).releases.get(release)
    request = request_of(entries, project, release)
    if state is None or request is None or state.state != "awaiting-approval":
        what = f"{state.state} by {state.actor} since {state.since[:16]}" if state else "unknown"
        raise DecisionRefused(
            Why.NOT_WAITING, f"{release} does not wait for a decision: it is {what}", hint=_LIST
        )
    if (asked := request.details.get("profile")) != rules.profile:
        raise DecisionRefused(
            Why.WRONG_PROFILE,
            f"a decision was asked for under profile {asked!r}, this would be one under {rules.profile!r}",
            hint=f"decide with --profile {asked}",
        )
    if is_too_late(request, rules.timeout_s, now):
        raise DecisionRefused(
            Why.EXPIRED,
            f"nobody decided about {release} within {rules.timeout_s} s: the request has expired",
            hint="assay run deploy asks again",
        )
    return request


def is_too_late(request: Entry, timeout_s: int, now: datetime) -> bool:
    """Whether nobody decided in time."""
    return (now - datetime.fromisoformat(request.time)).total_seconds() > timeout_s


def voter_of(rules: Rules, name: str) -> Voter:
    """An approver of the configuration; raises DecisionRefused for anybody else."""
    if (voter := rules.voters.get(name)) is not None:
        return voter
    raise DecisionRefused(
        Why.UNKNOWN_APPROVER,
        f"{name!r} is not an approver, or not any more",
        hint=f"approvers: {', '.join(sorted(rules.voters)) or 'nobody'}",
    )


def seat_of(rules: Rules, approver: str, now: datetime) -> str:
    """In whose place an approver decides who did not say it: empty for their own.

    Their own where they have a role; else that of the only person who delegates to them now.
    """
    own = voter_of(rules, approver)
    if set(own.roles) & set(rules.roles):
        return ""
    givers = [d.delegator for d in rules.delegations if d.delegate == approver and d.until > now]
    lent = [giver for giver in givers if set(rules.voters[giver].roles) & set(rules.roles)]
    return lent[0] if len(lent) == 1 else ""


def outcome(
    votes: Sequence[Vote], rules: Rules, now: datetime
) -> tuple[Literal["approved", "rejected"] | None, list[Vote]]:
    """What the votes decide and the votes that it rests on; None while more have to agree.

    A rejection counts even if the rules changed after it; an approval only under the rules that hold.
    """
    against = [vote for vote in votes if vote.decision.decision == "reject"]
    if against:
        return "rejected", against[:1]
    counted = [vote for vote in votes if _counts(vote.decision, rules, now)]
    seats = [set(rules.voters[vote.decision.seat].roles) for vote in counted]
    # Zero approvals never approve, whatever a rule says.
    if counted and len(counted) >= rules.quorum and _covers(rules.one_of_each, seats):
        return "approved", counted
    return None, counted


def missing(votes: Sequence[Vote], rules: Rules, now: datetime) -> str:
    """What an approval still takes, in words."""
    _, counted = outcome(votes, rules, now)
    roles = f", one each of {', '.join(rules.one_of_each)}" if rules.one_of_each else ""
    return f"{len(counted)} of {rules.quorum} approvals{roles}"


def _counts(decision: Decision, rules: Rules, now: datetime) -> bool:
    return decision.binding.rules == rules.digest and decision.expires > now


def _same_person(one: Decision, other: Decision) -> bool:
    return bool({one.approver, one.seat} & {other.approver, other.seat})


def _covers(needed: Sequence[str], seats: Sequence[set[str]]) -> bool:
    """Whether each role can be given to another seat."""
    if not needed:
        return True
    return any(
        needed[0] in seat and _covers(needed[1:], [*seats[:number], *seats[number + 1 :]])
        for number, seat in enumerate(seats)
    )


def _check_times(decision: Decision, rules: Rules, now: datetime) -> None:
    if abs(decision.time - now) > _CLOCK_SKEW:
        raise DecisionRefused(
            Why.EXPIRED, f"signed at {decision.time.isoformat()}, which is not now", hint="set the clock"
        )
    if decision.expires > decision.time + timedelta(seconds=rules.timeout_s):
        raise DecisionRefused(
            Why.EXPIRED, f"counts until {decision.expires.isoformat()}, longer than {rules.timeout_s} s"
        )


def _check_seat(decision: Decision, rules: Rules, now: datetime) -> Voter:
    seat = voter_of(rules, decision.seat)
    if decision.on_behalf_of:
        lent = [
            d.until
            for d in rules.delegations
            if (d.delegator, d.delegate) == (decision.on_behalf_of, decision.approver)
        ]
        if not lent or max(lent) <= now:
            when = f"it lapsed at {max(lent).isoformat()}" if lent else "there is none"
            raise DecisionRefused(
                Why.DELEGATION, f"{decision.on_behalf_of} does not delegate to {decision.approver}: {when}"
            )
    elif not set(seat.roles) & set(rules.roles):
        _explain_no_role(decision, rules, now)
    if not set(seat.roles) & set(rules.roles):
        raise DecisionRefused(
            Why.ROLE,
            f"{decision.seat} may not decide: has {', '.join(seat.roles) or 'no role'}"
            f", profile {rules.profile!r} needs {' or '.join(rules.roles)}",
        )
    return seat


def _explain_no_role(decision: Decision, rules: Rules, now: datetime) -> None:
    lapsed = [d for d in rules.delegations if d.delegate == decision.approver and d.until <= now]
    if lapsed:
        last = max(lapsed, key=lambda d: d.until)
        raise DecisionRefused(
            Why.DELEGATION,
            f"{decision.approver} has no role of their own, and the delegation by {last.delegator}"
            f" lapsed at {last.until.isoformat()}",
        )


def _check_four_eyes(decision: Decision, request: Entry, people: Sequence[Voter]) -> None:
    origins = {
        "started the run": _names(request.details.get("started_by")),
        "trained the adapter": _names(request.details.get("trained_by")),
    }
    for did, names in origins.items():
        if not names:
            raise DecisionRefused(
                Why.ORIGIN_UNKNOWN,
                f"nobody recorded who {did}: four eyes cannot be shown",
                hint="run the lifecycle again, or set four_eyes: false for this profile in approvers.yaml",
            )
        for person in people:
            if found := names & {account.casefold() for account in person.accounts}:
                raise DecisionRefused(
                    Why.SELF_APPROVAL,
                    f"{decision.approver} cannot approve: {sorted(found)[0]} {did}",
                    hint="somebody else has to (four_eyes)",
                )


def _names(value: object) -> set[str]:
    """The accounts, in one spelling; none at all if any of them is missing."""
    names = value if isinstance(value, list) else [value]
    known = [name.casefold() for name in names if isinstance(name, str) and name.strip()]
    return set(known) if len(known) == len(names) else set()


def _differs(decision: Decision, request: Entry, rules: Rules) -> str:
    expected = binding_of(request, rules)
    for field in ("release", "gate_report", "gates", "rules", "request"):
        got, wanted = getattr(decision.binding, field), getattr(expected, field)
        if got != wanted:
            return f"the decision is about another {field.replace('_', ' ')}: got {got}, expected {wanted}"
    raise PromotionDenied("the decision is about something else")


_LIST = "see `assay release list`"
