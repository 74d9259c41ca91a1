"""`assay quarantine …`: training rows under suspicion, and what people decide about them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flows.cli.project import Call, in_project
from infra.digest import hex_of
from infra.errors import DataError

if TYPE_CHECKING:
    from infra.workspace import Workspace
    from tasks.records import Row
    from tasks.records.screening import ScreeningReport, Suspicion

app = typer.Typer(no_args_is_help=True)

SHELF_KEY = "screening"
Rows = Annotated[
    list[str] | None,
    typer.Argument(help="Row digests, or the start of their hex digits.", show_default=False),
]
OfKind = Annotated[
    str | None, typer.Option("--kind", help="All undecided rows held back for this reason, e.g. trigger.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; goes into the ledger.")]
Person = Annotated[str | None, typer.Option("--as", help="Who decides; default: you on this machine.")]


def _report(workspace: "Workspace") -> "ScreeningReport":
    from tasks.records.screening import ScreeningReport

    report = workspace.handover.get(SHELF_KEY, ScreeningReport)
    if report is None:
        raise DataError("no training rows were screened yet", hint="run fine-tune first: assay run finetune")
    return report


def _states(workspace: "Workspace", report: "ScreeningReport") -> dict[str, str]:
    """State of every suspected row: undecided, released, removed, or (weak evidence only) kept."""
    from tasks.finetune.screening.quarantine import read_decisions, state_of

    decisions = read_decisions(workspace.ledger.entries(), workspace.project.name)
    return {each.row: state_of(each.row, report, decisions) for each in report.suspicions}


@app.command("list")
@in_project
def list_rows(
    call: Call,
    review: Annotated[
        bool, typer.Option("--review", help="Also rows with weak evidence: trained on.")
    ] = False,
) -> None:
    """Suspected rows: what is held back, why, and what was decided."""
    workspace = call.workspace
    report = _report(workspace)
    states = _states(workspace, report)
    held = [each for each in report.suspicions if each.held or review or states[each.row] == "removed"]
    held.sort(key=lambda each: (not each.held, -each.score, each.row))
    rows = [{**each.model_dump(mode="json"), "state": states[each.row]} for each in held]
    lines = [
        f"{hex_of(x.row)[:12]}  {states[x.row]:<9}  {x.kind.value:<17}  {x.score:.2f}  {x.remark}"
        for x in held
    ]
    waiting = sum(state == "undecided" for state in states.values())
    lines.append(f"{waiting} of {report.rows} rows wait for a decision")
    call.emit(
        {"rows": rows, "waiting": waiting, "screened": report.rows},
        text="\n".join(lines),
    )


@app.command()
@in_project
def show(
    call: Call,
    row: Annotated[str, typer.Argument(help="Row digest, or the start of its hex digits.")],
) -> None:
    """One suspected row: its text with hidden characters made visible, and every reason."""
    workspace = call.workspace
    report = _report(workspace)
    name = resolve(report, row)
    found = _texts(workspace).get(name)
    reasons = [each for each in report.suspicions if each.row == name]
    content: dict[str, Any] = {
        "row": name,
        "state": _states(workspace, report)[name],
        "label": found.label if found else None,
        "text": found.text if found else None,
        "reasons": [
            {**each.model_dump(mode="json"), "words": _words(each, found.text) if found else None}
            for each in reasons
        ],
    }
    lines = [f"row    {name}", f"state  {content['state']}"]
    lines += [f"label  {found.label}", f"text   {escaped(found.text)}"] if found else [_GONE]
    for each in reasons:
        words = _words(each, found.text) if found else None
        tied = f": {escaped(words)!r}" if words else ""
        held = "held back" if each.held else "listed"
        lines.append(f"  {each.kind.value:<17}  {each.score:.2f}  {held}  {each.remark}{tied}")
    call.emit(content, text="\n".join(lines))


_GONE = "text   no longer in the prepared data"


@app.command()
@in_project
def release(
    call: Call,
    reason: Reason,
    rows: Rows = None,
    kind: OfKind = None,
    person: Person = None,
) -> None:
    """Let rows be trained on: you looked, and they are what they should be."""
    _decide(call, "release", rows or [], kind, reason, person)


@app.command()
@in_project
def remove(
    call: Call,
    reason: Reason,
    rows: Rows = None,
    kind: OfKind = None,
    person: Person = None,
) -> None:
    """Keep rows out of training for good."""
    _decide(call, "remove", rows or [], kind, reason, person)


def _decide(
    call: Call,
    decision: Literal["release", "remove"],
    rows: list[str],
    kind: str | None,
    reason: str,
    person: str | None,
) -> None:
    from infra.ledger import local_actor
    from tasks.finetune.screening.quarantine import decide

    workspace = call.workspace
    report = _report(workspace)
    chosen = dict.fromkeys([resolve(report, row) for row in rows])
    if kind is not None:
        states = _states(workspace, report)
        of_kind = [x.row for x in report.suspicions if x.held and x.kind.value == kind]
        chosen |= dict.fromkeys(row for row in of_kind if states[row] == "undecided")
    who = person or local_actor()
    entry = decide(
        workspace.ledger,
        workspace.project.name,
        report,
        rows=list(chosen),
        decision=decision,
        actor=who,
        reason=reason,
    )
    content = {"decision": decision, "rows": list(chosen), "by": who, "entry": entry.seq}
    call.emit(content, text=f"{decision} by {who}: {len(chosen)} rows, ledger entry {entry.seq}")


def resolve(report: "ScreeningReport", name: str) -> str:
    """The one suspected row that starts with these digits; raises DataError for none or several."""
    digits = name.removeprefix("sha256:").lower()
    known = {each.row for each in report.suspicions}
    found = [row for row in known if hex_of(row).startswith(digits)] if digits else []
    if len(found) != 1:
        problem = "no suspected row starts with" if not found else f"{len(found)} rows start with"
        raise DataError(f"{problem} {name!r}", hint="see `assay quarantine list --review`")
    return found[0]


def escaped(text: str) -> str:
    """The text with everything that a terminal would hide or obey written as an escape."""
    return "".join(char if char.isprintable() and char.isascii() else _escape(char) for char in text)


def _escape(char: str) -> str:
    # Letters of other scripts stay readable unless they look like Latin ones: those are the trap.
    from tasks.finetune.screening.hidden import passes_for_latin

    trap = not char.isprintable() or passes_for_latin(char)
    return char.encode("unicode_escape").decode("ascii") if trap else char


def _words(suspicion: "Suspicion", text: str) -> str | None:
    """The words that tied the row to its label, found again by their digest."""
    from infra.digest import digest_bytes
    from tasks.finetune.screening.grams import grams

    if suspicion.mark is None:
        return None
    return next((gram for gram in grams(text, 8) if digest_bytes(gram.encode()) == suspicion.mark), None)


def _texts(workspace: "Workspace") -> "dict[str, Row]":
    """The training rows by name; empty when develop's result is gone."""
    import io

    import pyarrow.parquet as pq

    from tasks.finetune.screening.rows import row_id
    from tasks.records import Developed, Row

    developed = workspace.handover.get("developed", Developed)
    if developed is None:
        return {}
    table = pq.read_table(io.BytesIO(workspace.store.get_bytes(developed.dataset.splits["train"])))
    rows = [Row.model_validate(cells) for cells in table.to_pylist()]
    return {row_id(row): row for row in rows}
