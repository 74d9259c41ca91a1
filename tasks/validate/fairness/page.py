"""A fairness report as a page: dots against the band, gaps, stereotype pairs, answers that changed.

fairness_page(report)            # one HTML document
"""

from collections.abc import Sequence
from html import escape

from infra.pages.charts.bands import Dot, State, bands
from infra.pages.page import html_page, section
from tasks.records.fairness import DimensionGap, Equality, FairnessReport, GroupOutcome

_STATES: dict[Equality | None, State] = {
    "equivalent": "pass",
    "different": "fail",
    "undecided": "inconclusive",
    None: "plain",
}


def fairness_page(report: FairnessReport) -> str:
    """Everything in the report; what was not measured is said, not left out."""
    header = (
        f"<p>{report.rows} rows; in {report.carried} comparisons nothing was added to them; "
        f"{report.texts} texts, seed {report.seed}, intervals at {report.confidence:.0%}; smallest group "
        f"{escape(report.smallest_group)}; {report.seconds:.0f} s</p>"
    )
    return html_page(
        "Fairness",
        header,
        [
            section("Not measured", _paragraphs(report.skipped)),
            section("Answers that change with the group alone", _kind(report, "flip")),
            section("Accuracy by group", _kind(report, "accuracy") + _gaps(report)),
            section("Stopped by the guard", _stopped(report)),
            section("Preference for stereotypes (0 is even)", _associations(report)),
            section("Answers that changed", _changed(report)),
            section("Sources", _paragraphs([f"{name}: {words}" for name, words in report.corpora.items()])),
        ],
    )


def _kind(report: FairnessReport, kind: str) -> str:
    groups = [group for group in report.groups if group.kind == kind]
    band = (0.0, report.band) if kind == "flip" else None
    return bands(f"{kind} by group", [_dot(group) for group in groups], band)


def _dot(group: GroupOutcome) -> Dot:
    words = f"n {group.n}" + (f", {group.verdict}" if group.verdict else "")
    name = f"{group.dimension}: {group.group}"
    return Dot(name, group.value, group.lower, group.upper, _STATES[group.verdict], words)


def _gaps(report: FairnessReport) -> str:
    if not report.gaps:
        return ""
    rows = "".join(
        f"<tr><th>{escape(gap.dimension)}</th>{_ends(gap)}"
        f"<td>{100 * gap.difference:.1f} pp (up to {100 * gap.upper:.1f})</td><td>{gap.ratio:.3f}</td>"
        f"<td>{gap.n}</td></tr>"
        for gap in report.gaps
    )
    head = "<th>dimension</th><th>best</th><th>worst</th><th>gap</th><th>ratio</th><th>rows</th>"
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _ends(gap: DimensionGap) -> str:
    if not gap.difference:
        return '<td colspan="2">all alike</td>'
    return f"<td>{escape(gap.best)}</td><td>{escape(gap.worst)}</td>"


def _stopped(report: FairnessReport) -> str:
    groups = [group for group in report.groups if group.kind == "stopped"]
    if groups and not any(group.value for group in groups):
        return f"<p>No text of any of the {len(groups)} groups was stopped.</p>"
    return bands("stopped by group", [_dot(group) for group in groups])


def _associations(report: FairnessReport) -> str:
    """Preferences are around 0, abilities up to 100 %: one picture each."""

    def drawn(title: str, *kinds: str) -> str:
        return bands(title, [_dot(group) for kind in kinds for group in report.groups if group.kind == kind])

    ability = drawn("ability", "ability")
    return (
        drawn("preference for stereotypes", "preference", "change")
        + (f"<h3>Ability, without which a preference means nothing</h3>{ability}" if ability else "")
        + _paragraphs(report.remarks)
    )


def _changed(report: FairnessReport) -> str:
    return "".join(
        f"<blockquote><p><strong>{escape(each.dimension)}</strong></p>"
        + "".join(
            f"<p>{escape(text)} → <code>{escape(answer)}</code> <small>{escape(group)}</small></p>"
            for group, text, answer in zip(each.groups, each.texts, each.answers, strict=True)
        )
        + "</blockquote>"
        for each in report.changed
    )


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{escape(each)}</p>" for each in sentences)
