"""How it goes on: who decides, the commands to copy, and what happened before.

html = decision_html(decision)
"""

from pydantic import Field

from infra.pages.page import table
from infra.pages.words import shown
from tasks.deploy.card.facts import CardFacts, Event
from tasks.records import Digest, Record, Verdict

_MOST_EVENTS = 20


class Command(Record):
    """A line for a shell, and what it does."""

    does: str
    line: str


class Decision(Record):
    """What the last part of a card says."""

    approval: str
    commands: tuple[Command, ...]
    history: tuple[Event, ...] = Field(description="of the project, oldest first")
    hidden_events: int = 0


def decision_of(unit: Digest, verdict: Verdict, facts: CardFacts) -> Decision:
    """Only what passed can be approved. Commands name the unit: the release's digest covers this card."""
    return Decision(
        approval=_approval(verdict, facts),
        commands=_commands(unit.removeprefix("sha256:")[:12], verdict, facts),
        history=facts.history[-_MOST_EVENTS:],
        hidden_events=max(len(facts.history) - _MOST_EVENTS, 0),
    )


def _approval(verdict: Verdict, facts: CardFacts) -> str:
    profile = f" (profile {facts.profile})" if facts.profile else ""
    if verdict != Verdict.PASS:
        return f"blocked: nothing was packaged or signed, and nobody can approve it{profile}."
    if facts.approval == "auto":
        return f"auto: no person was asked{profile}. What passes all gates goes live."
    if not facts.approvers:
        return (
            f"person: goes live only after a person's signed decision, and nobody is listed for it{profile}."
        )
    names = ", ".join(facts.approvers)
    who = f"{facts.quorum} of {names} approve" if facts.quorum > 1 else f"one of {names} approves"
    return f"person: goes live only after {who} it, by signature and with a reason{profile}."


def _commands(name: str, verdict: Verdict, facts: CardFacts) -> tuple[Command, ...]:
    if verdict != Verdict.PASS:
        return (
            Command(does="what happened to this candidate", line=f"assay release show {name}"),
            Command(does="measure and judge again, after a change", line="assay run lifecycle"),
        )
    asked = (
        Command(does="let it go live", line=f"assay release approve {name} --reason 'why'"),
        Command(does="do not let it go live", line=f"assay release reject {name} --reason 'why'"),
    )
    return (
        *(asked if facts.approval == "person" else ()),
        Command(does="check every byte and signature", line=f"assay release verify {name}"),
        Command(does="what happened since", line=f"assay release show {name}"),
        Command(does="back to the release before", line="assay release rollback --reason 'why'"),
    )


def decision_html(decision: Decision) -> str:
    """Approval, commands, history."""
    commands = table(
        ("to", "command"),
        ((shown(each.does), f"<code>{shown(each.line)}</code>") for each in decision.commands),
    )
    return f"<p>{shown(decision.approval)}</p>{commands}<h3>History</h3>{_history(decision)}"


def _history(decision: Decision) -> str:
    if not decision.history:
        return '<p class="missing">Nothing was recorded before this card was made.</p>'
    more = (
        f'<p class="note">{decision.hidden_events:,} earlier entries.</p>' if decision.hidden_events else ""
    )
    rows = (
        (
            shown(event.time[:19].replace("T", " ")),
            f"{shown(event.kind)}<br><small>{shown(event.subject[:19])}…</small>",
            f"{shown(event.actor, most=80)}: {shown(event.reason, most=300)}",
        )
        for event in reversed(decision.history)
    )
    caption = "When this card was made, newest first"
    return table(("time, UTC", "what", "who and why"), rows, caption=caption) + more
