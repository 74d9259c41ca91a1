"""The data-flow diagram as inline SVG: boundaries in columns, elements in boundaries, numbered flows.

threat_diagram(model)      # SVG text; a flow that crosses a trust boundary is drawn in colour
"""

from collections import defaultdict
from dataclasses import dataclass
from html import escape

from tasks.develop.requirements.model import Boundary, Element, Flow, ThreatModel

_BOX_W, _BOX_H = 144, 44
_PAD, _HEAD, _GAP_X, _GAP_Y = 16, 22, 96, 18
# Where along its curve a flow's number stands: neighbours stand apart.
_AT = (0.35, 0.5, 0.65)
_COLUMN = _BOX_W + 2 * _PAD + _GAP_X


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float


def threat_diagram(model: ThreatModel) -> str:
    """One SVG element; a function of the model alone, all text escaped."""
    frames, boxes = _layout(model)
    width = max(box.x + box.width for box in frames.values()) + _PAD
    height = max(box.y + box.height for box in frames.values()) + _PAD
    crossing = {flow.key for flow in model.crossing()}
    ports = _ports(model, boxes)
    parts = [_frame(each, frames[each.key]) for each in model.boundaries]
    parts += [
        _flow(number, flow, *ports[flow.key], crossing=flow.key in crossing)
        for number, flow in enumerate(model.flows, start=1)
    ]
    parts += [_element(each, boxes[each.key]) for each in model.elements]
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="Data flow and trust boundaries">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0,0 L8,4 L0,8 z" style="fill:var(--soft)"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def _layout(model: ThreatModel) -> tuple[dict[str, _Box], dict[str, _Box]]:
    """Where boundaries and elements lie: a column is filled from top to bottom, and centred."""
    held: dict[str, list[Element]] = defaultdict(list)
    for element in model.elements:
        held[element.boundary].append(element)
    columns: dict[int, list[Boundary]] = defaultdict(list)
    for boundary in model.boundaries:
        columns[boundary.column].append(boundary)
    heights = {b.key: _HEAD + _PAD + len(held[b.key]) * (_BOX_H + _GAP_Y) for b in model.boundaries}
    tall = {number: sum(heights[b.key] + _GAP_Y for b in column) for number, column in columns.items()}
    frames: dict[str, _Box] = {}
    boxes: dict[str, _Box] = {}
    for place, number in enumerate(sorted(columns)):
        y = _PAD + (max(tall.values()) - tall[number]) / 2
        x = _PAD + place * _COLUMN
        for boundary in columns[number]:
            frames[boundary.key] = _Box(x, y, _BOX_W + 2 * _PAD, heights[boundary.key])
            for row, element in enumerate(held[boundary.key]):
                top = y + _HEAD + _PAD / 2 + row * (_BOX_H + _GAP_Y)
                boxes[element.key] = _Box(x + _PAD, top, _BOX_W, _BOX_H)
            y += heights[boundary.key] + _GAP_Y
    return frames, boxes


def _ports(model: ThreatModel, boxes: dict[str, _Box]) -> dict[str, tuple[str, float, float]]:
    """For every flow its curve and the place of its number; ends that share a side are spread along it."""
    ends: dict[tuple[str, str], list[tuple[float, str, str]]] = defaultdict(list)
    for number, flow in enumerate(model.flows):
        source, target = boxes[flow.source], boxes[flow.target]
        leaves, enters = _sides(source, target)
        ends[(flow.source, leaves)].append((target.y + number / 100, flow.key, "source"))
        ends[(flow.target, enters)].append((source.y + number / 100, flow.key, "target"))
    points: dict[tuple[str, str], tuple[float, float]] = {}
    for (element, side), found in ends.items():
        box = boxes[element]
        x = box.x if side == "left" else box.x + box.width
        for place, (_, key, end) in enumerate(sorted(found), start=1):
            points[(key, end)] = (x, box.y + box.height * place / (len(found) + 1))
    return {
        flow.key: _curve(points[(flow.key, "source")], points[(flow.key, "target")], _AT[number % 3])
        for number, flow in enumerate(model.flows)
    }


def _sides(source: _Box, target: _Box) -> tuple[str, str]:
    if source.x == target.x:
        return "right", "right"
    return ("right", "left") if source.x < target.x else ("left", "right")


def _curve(start: tuple[float, float], end: tuple[float, float], at: float) -> tuple[str, float, float]:
    """A cubic Bézier curve and its point at parameter `at`."""
    (x1, y1), (x2, y2) = start, end
    # Between two elements of one column the curve goes around those that lie between them.
    bow = 26 + abs(y2 - y1) / 6 if x1 == x2 else (x2 - x1) / 2
    c1, c2 = x1 + bow, x2 + bow if x1 == x2 else x2 - bow
    path = f"M{x1:.1f},{y1:.1f} C{c1:.1f},{y1:.1f} {c2:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    far = 1 - at
    x = far**3 * x1 + 3 * far**2 * at * c1 + 3 * far * at**2 * c2 + at**3 * x2
    return path, x, y1 + (y2 - y1) * at**2 * (3 - 2 * at)


def _frame(boundary: Boundary, box: _Box) -> str:
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="8" '
        'style="fill:none;stroke:var(--fail);stroke-dasharray:6 4"/>'
        f'<text class="tick" x="{box.x + 10:.1f}" y="{box.y + 16:.1f}">{escape(boundary.title)}</text>'
    )


def _element(element: Element, box: _Box) -> str:
    style = 'style="fill:var(--paper);stroke:var(--ink)"'
    x, y, w, h = box.x, box.y, box.width, box.height
    if element.kind == "store":  # two lines, as data-flow diagrams draw it
        shape = (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{w}" height="{h}" style="fill:var(--paper)"/>'
            f'<path d="M{x:.1f},{y:.1f} h{w} M{x:.1f},{y + h:.1f} h{w}" {style}/>'
        )
    else:
        round_by = h / 2 if element.kind == "process" else 0
        shape = f'<rect x="{x:.1f}" y="{y:.1f}" width="{w}" height="{h}" rx="{round_by:.0f}" {style}/>'
    return (
        f'{shape}<text x="{x + w / 2:.1f}" y="{y + h / 2 + 4:.1f}" text-anchor="middle">'
        f"{escape(element.title)}</text>"
    )


def _flow(number: int, flow: Flow, path: str, x: float, y: float, *, crossing: bool) -> str:
    colour = "var(--ours)" if crossing else "var(--soft)"
    return (
        f'<path d="{path}" marker-end="url(#tip)" style="fill:none;stroke:{colour};stroke-width:1.5">'
        f"<title>{escape(flow.title)}</title></path>"
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" style="fill:var(--paper);stroke:{colour}"/>'
        f'<text class="tick" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{number}</text>'
    )
