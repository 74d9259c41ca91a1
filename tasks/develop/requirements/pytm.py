"""The same model as a Python program for pytm, whose own threat library then speaks about it.

pytm_program(model, "Triage")     # source text; writing it needs no pytm, running it does (extra `pytm`)
"""

from tasks.develop.requirements.model import ThreatModel

_CLASSES = {"actor": "Actor", "process": "Process", "store": "Datastore"}
_CLASSIFICATION = {"low": "RESTRICTED", "medium": "SENSITIVE", "high": "SECRET"}


def pytm_program(model: ThreatModel, title: str) -> str:
    """Python source: `python threats.py --dfd` or `--report`; names are our keys."""
    lines = [
        f'"""{_plain(title)}: the threat model for pytm, written by `assay threats report --pytm`."""',
        "",
        "from pytm import TM, Actor, Boundary, Classification, Data, Dataflow, Datastore, Process",
        "",
        f"tm = TM({title!r})",
        "",
    ]
    lines += [f"{_name(each.key)}_boundary = Boundary({each.title!r})" for each in model.boundaries]
    lines.append("")
    for element in model.elements:
        lines.append(f"{_name(element.key)} = {_CLASSES[element.kind]}({element.title!r})")
        lines.append(f"{_name(element.key)}.inBoundary = {_name(element.boundary)}_boundary")
    lines.append("")
    lines += [
        f"{_name(each.key)}_data = Data({each.title!r}, "
        f"classification=Classification.{_CLASSIFICATION[each.sensitivity]})"
        for each in model.assets
    ]
    lines.append("")
    for flow in model.flows:
        name = f"{_name(flow.key)}_flow"
        ends = f"{_name(flow.source)}, {_name(flow.target)}"
        lines.append(f"{name} = Dataflow({ends}, {flow.title!r})")
        if flow.carries:
            lines.append(f"{name}.data = [{', '.join(f'{_name(asset)}_data' for asset in flow.carries)}]")
    return "\n".join([*lines, "", 'if __name__ == "__main__":', "    tm.process()", ""])


def _name(key: str) -> str:
    return f"e_{key.replace('-', '_')}"


def _plain(title: str) -> str:
    return title.replace("\\", "").replace('"', "")
