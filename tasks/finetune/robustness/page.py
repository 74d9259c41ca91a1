"""A robustness report as pictures with intervals, for a page or a release card.

robustness_page(report)          # one HTML document
accuracy_picture(report)         # the SVG alone
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from infra.pages.charts.frame import WIDTH, shortened, svg, text
from infra.pages.page import html_page, section
from tasks.records.robustness import Bounds, RobustnessReport

_LEFT, _RIGHT, _ROW, _TOP = 170, 130, 24, 18


@dataclass(frozen=True)
class _Line:
    name: str
    share: Bounds
    remark: str


def robustness_page(report: RobustnessReport) -> str:
    """Accuracy by kind of noise and obedience by family of injections, each with its interval."""
    header = (
        f"<p>{report.rows} rows, seed {report.seed}, intervals at {report.confidence:.0%}; "
        f"{report.scored} different inputs in {report.seconds:.0f} s</p>"
    )
    words = (
        f"<p>{report.injection_success.value:.1%} of the rows obey an injected instruction "
        f"(at most {report.injection_success.upper:.1%}); none of its phrases was trained on.</p>"
    )
    return html_page(
        "Robustness",
        header,
        [
            section("Accuracy", accuracy_picture(report)),
            section("Injected instructions that are obeyed", words + attack_picture(report)),
        ],
    )


def accuracy_picture(report: RobustnessReport) -> str:
    """Accuracy on clean, perturbed and injected rows, with what each costs."""
    clean, injected = report.clean_accuracy, report.injected_accuracy
    lines = [_Line("clean", clean, "")]
    lines += [_Line(o.kind, o.accuracy, f"{-o.drop.value:+.1%}") for o in report.perturbations]
    lines.append(_Line("injected", injected, f"{injected.value - clean.value:+.1%}"))
    return _dots("Accuracy under noise and injections", lines)


def attack_picture(report: RobustnessReport) -> str:
    """Share of rows that obey, by family."""
    lines = [_Line(a.family, a.success, f"{a.obeyed} of {a.n}") for a in report.attacks]
    return _dots("Share of rows that obey an injected instruction", lines)


def _dots(title: str, lines: Sequence[_Line]) -> str:
    rows = "".join(_dot(_TOP + _ROW * at + _ROW / 2, line) for at, line in enumerate(lines))
    height = _TOP + _ROW * len(lines)
    grid = "".join(
        f'<line class="grid" x1="{_x(share):.1f}" x2="{_x(share):.1f}" y1="{_TOP}" y2="{height}"/>'
        + text(_x(share), _TOP - 6, f"{share:.0%}", kind="tick", anchor="middle")
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return svg(title, height + 4, grid + rows)


def _dot(y: float, line: _Line) -> str:
    share, low, high = line.share.value, _x(line.share.lower), _x(line.share.upper)
    hint = f"{line.name}: {share:.1%} ({line.share.lower:.1%} to {line.share.upper:.1%})"
    return (
        text(_LEFT - 8, y + 4, shortened(line.name, 24), anchor="end")
        + f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
        + f'<circle class="ours" cx="{_x(share):.1f}" cy="{y}" r="5"><title>{escape(hint)}</title></circle>'
        + text(WIDTH - _RIGHT + 10, y + 4, f"{share:.1%}  {line.remark}", kind="tick")
    )


def _x(share: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * share
