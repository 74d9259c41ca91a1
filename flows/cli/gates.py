"""`assay gates explain|list`: what a candidate has to show, in words."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from tasks.validate.gates import GatePolicy

app = typer.Typer(no_args_is_help=True)


@app.command()
@in_project
def explain(
    call: Call,
    gate: Annotated[str | None, typer.Argument(help="Name of a gate; all of them without.")] = None,
    expect: Annotated[
        float | None,
        typer.Option(help="The value thought to be true, as a share: 0.01 is one percent."),
    ] = None,
) -> None:
    """Say what a gate measures and why, its limit, the sample it needs, and what happens without evidence."""
    import difflib

    from infra.errors import ConfigError
    from tasks.validate.gates.explain import as_text
    from tasks.validate.gates.explain import explain as in_words

    policy = _policy(call)
    chosen = [rule for rule in policy.gates if gate in (None, rule.name)]
    if not chosen:
        names = [rule.name for rule in policy.gates]
        close = difflib.get_close_matches(gate or "", names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"gates: {', '.join(names)}"
        raise ConfigError(f"no gate {gate!r}", hint=hint)
    words = [in_words(rule, expect) for rule in chosen]
    content = [each.model_dump(mode="json") for each in words]
    text = "\n\n".join(as_text(each) for each in words)
    call.emit(content if gate is None else content[0], text=text)


@app.command("list")
@in_project
def list_gates(call: Call) -> None:
    """List the gates: metric, limit, fewest items, where they apply."""
    from tasks.validate.gates.explain import explain as in_words

    words = [in_words(rule) for rule in _policy(call).gates]
    lines = [
        f"{each.gate:<34} {each.severity:<8} {each.metric:<30} {each.limit:<18} n>={each.min_n:<5}"
        f" {each.applies.partition(';')[0]}{', each slice' if each.slices else ''}"
        for each in words
    ]
    call.emit([each.model_dump(mode="json") for each in words], text="\n".join(lines))


def _policy(call: Call) -> "GatePolicy":
    from tasks.validate.gates import load_gates

    project = call.project
    return load_gates(project.path(project.gates))
