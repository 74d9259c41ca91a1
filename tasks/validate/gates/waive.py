"""Which waivers count: for this candidate, for a gate that is inconclusive, not expired. The rest is told.

results, refused = waive(results, {"floor-1a2b.json": waiver}, (), candidate=unit, today=today)
"""

from collections.abc import Mapping, Sequence
from datetime import date

from tasks.records import GateResult, RefusedWaiver, Verdict, Waiver


def waive(
    results: Sequence[GateResult],
    waivers: Mapping[str, Waiver],
    refused: Sequence[RefusedWaiver],
    *,
    candidate: str,
    today: date,
) -> tuple[list[GateResult], list[RefusedWaiver]]:
    """The results with their waivers, and every waiver that did not count; pure.

    `waivers` by the name of their file, their signatures verified; `refused` are those that were not.
    A waiver of another candidate is told of only where its gate blocks this one.
    """
    gates: dict[str, list[GateResult]] = {}
    for result in results:
        gates.setdefault(result.gate, []).append(result)
    counted: dict[str, Waiver] = {}
    uncounted = list(refused)
    for file, waiver in sorted(waivers.items()):
        reason = _objection(waiver, gates.get(waiver.gate, ()), candidate, today)
        if reason is None:
            known = counted.get(waiver.gate)
            counted[waiver.gate] = max(known or waiver, waiver, key=lambda each: each.expires)
        elif reason:
            uncounted.append(RefusedWaiver(file=file, gate=waiver.gate, owner=waiver.owner, reason=reason))
    return [_told(result, counted, uncounted) for result in results], uncounted


def _objection(waiver: Waiver, results: Sequence[GateResult], candidate: str, today: date) -> str | None:
    """Why it does not count; empty where nobody needs to know; None where it counts."""
    verdicts = {result.verdict for result in results}
    if waiver.candidate != candidate:
        blocks = bool(verdicts - {Verdict.PASS})
        return f"it is for another candidate, {waiver.candidate}" if blocks else ""
    if not results:
        return "no such gate was judged"
    if Verdict.FAIL in verdicts:
        return "the gate fails, and only what is inconclusive can be waived"
    if verdicts == {Verdict.PASS}:
        return "not needed, the gate passes"
    if waiver.expires < today:
        return f"it expired on {waiver.expires}"
    return None


def _told(
    result: GateResult, counted: Mapping[str, Waiver], uncounted: Sequence[RefusedWaiver]
) -> GateResult:
    if result.verdict == Verdict.PASS:
        return result
    waiver = counted.get(result.gate)
    if waiver is not None and result.verdict == Verdict.INCONCLUSIVE:
        words = f"; waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"
        return result.model_copy(update={"waiver": waiver, "message": result.message + words})
    words = "".join(
        f"; the waiver of {each.owner} does not count: {each.reason}"
        for each in uncounted
        if each.gate == result.gate
    )
    return result.model_copy(update={"message": result.message + words}) if words else result
