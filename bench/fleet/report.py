"""The fleet's outcome as figures and as a page of Markdown."""

from collections.abc import Sequence
from typing import Any

from fleet.measure import Outcome
from infra.statistics.intervals import clopper_pearson


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Counts with exact intervals; shares are of bad and of good candidates."""
    bad = [each for each in outcomes if each.member.bad]
    good = [each for each in outcomes if not each.member.bad]
    stopped, rightly = sum(each.stopped for each in bad), sum(each.rightly for each in bad)
    false = sum(each.stopped for each in good)
    found: dict[str, Any] = {
        "bad": len(bad),
        "caught": stopped,
        "caught_by_the_right_gate": rightly,
        "good": len(good),
        "falsely_blocked": false,
        "false_block_share": round(false / len(good), 4) if good else 0.0,
        "missed": [each.member.name for each in bad if not each.rightly],
        "blocked_good": [each.member.name for each in good if each.stopped],
        "seconds": round(sum(each.seconds for each in outcomes)),
    }
    if bad:
        found["caught_at_least"] = round(clopper_pearson(rightly, len(bad)).lower, 4)
    if good:
        found["false_blocks_at_most"] = round(clopper_pearson(false, len(good)).upper, 4)
    return found


def markdown(outcomes: Sequence[Outcome]) -> str:
    """One table of bad candidates, one of good ones, the counts above them."""
    found = figures(outcomes)
    lines = [
        "# Do the gates hold?",
        "",
        "Made by `make attack`: candidates made by code go through the real checks and gates. A bad one",
        "counts as caught only when a gate that ought to stop it is against it; what else was against it",
        "is listed too.",
        "",
        f"**{found['caught_by_the_right_gate']} of {found['bad']} bad candidates caught by the right gate,"
        f" {found['falsely_blocked']} of {found['good']} good ones blocked.**",
        *_bounds(found),
        "",
        "| bad candidate | what was done | stopped by | first reason |",
        "|---|---|---|---|",
        *(_bad(each) for each in outcomes if each.member.bad),
        "",
        "| good candidate | what it is | outcome |",
        "|---|---|---|",
        *(_good(each) for each in outcomes if not each.member.bad),
        "",
    ]
    return "\n".join(lines)


def _bounds(found: dict[str, Any]) -> list[str]:
    """What so few candidates can show at most, where both kinds were judged."""
    if not found["bad"] or not found["good"]:
        return []
    least, most = found["caught_at_least"], found["false_blocks_at_most"]
    return [
        f"By exact 95 % intervals: at least {least:.1%} of such bad candidates are caught,",
        f"at most {most:.1%} of such good ones are blocked.",
    ]


def _bad(outcome: Outcome) -> str:
    gates = ", ".join(outcome.against) or ("refused as evidence" if outcome.refused else "**not stopped**")
    right = "" if outcome.rightly else " (**not by the right gate**)"
    member = outcome.member
    return f"| {member.name} | {_cell(member.what)} | {_cell(gates)}{right} | {_cell(outcome.headline)} |"


def _good(outcome: Outcome) -> str:
    said = f"blocked: {outcome.headline}" if outcome.stopped else "passes"
    return f"| {outcome.member.name} | {_cell(outcome.member.what)} | {_cell(said)} |"


def _cell(words: str) -> str:
    return words.replace("|", "/").replace("\n", " ")
