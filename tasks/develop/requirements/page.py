"""The threat model as one page: diagram, threats with what answers them, controls with their proofs.

threats_page(model, threat_report(project, model, problems))
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from infra.pages.page import html_page, section
from tasks.develop.requirements.diagram import threat_diagram
from tasks.develop.requirements.model import ThreatModel


def threats_page(model: ThreatModel, report: dict[str, Any]) -> str:
    """A whole HTML document, without script and without anything from outside."""
    holds = not report["problems"]
    verdict = (
        f'<div class="verdict {"pass" if holds else "fail"}"><p class="word">'
        f"{'IN FORCE' if holds else 'NOT IN FORCE'}</p><p>{escape(report['headline'])}</p></div>"
    )
    return html_page(
        f"{report['title']}: threat model",
        "<p>What may go wrong, what is done about it, and what proves that it is done.</p>",
        [
            f"<section>{verdict}</section>",
            section("To mend", _problems(report["problems"])),
            section("Data flow and trust boundaries", _picture(model, report["flows"])),
            section("Threats", _threats(report["threats"])),
            section("Controls and their proofs", _controls(report["controls"])),
            section("Not applicable", _away(report["not_applicable"])),
        ],
    )


def _problems(problems: Sequence[dict[str, str]]) -> str:
    rows = [(p["where"].rsplit("/", 1)[-1], p["message"], p["hint"]) for p in problems]
    return _table(("Where", "What", "How"), [_cells(row) for row in rows]) if rows else ""


def _picture(model: ThreatModel, flows: Sequence[dict[str, Any]]) -> str:
    rows = [
        _cells(
            (
                str(flow["number"]),
                f"{flow['source']} → {flow['target']}: {flow['title']}",
                ", ".join(flow["carries"]),
                "crosses a boundary" if flow["crosses"] else "",
                ", ".join(flow["threats"]),
            )
        )
        for flow in flows
    ]
    return threat_diagram(model) + _table(("", "Flow", "Carries", "", "Threats"), rows)


def _threats(threats: Sequence[dict[str, Any]]) -> str:
    rows = []
    for each in threats:
        state = each["state"]
        kind = {"controlled": "pass", "open": "fail"}.get(state, "inconclusive")
        words = [escape(each["title"]), f"<small>{escape(each['owasp'])}</small>"]
        words += [f"<small>{escape(f'{key} {title}')}</small>" for key, title in each["atlas"].items()]
        if each["remark"]:
            words.append(f"<small>{escape(each['remark'])}</small>")
        rows.append(
            f"<td>{escape(each['key'])}<br><small>{escape(each['severity'])}</small></td>"
            f"<td>{'<br>'.join(word for word in words if word != '<small></small>')}</td>"
            f"<td>{escape(', '.join(each['stride']))}</td>"
            f"<td>{'<br>'.join(map(escape, each['controls']))}</td>"
            f'<td class="{kind}">{escape(state)}</td>'
        )
    return _table(("Threat", "What may go wrong", "STRIDE", "Controls", ""), rows)


def _controls(controls: Sequence[dict[str, Any]]) -> str:
    rows = []
    for each in controls:
        proofs = [f"{escape(kind)}: <code>{escape(proof)}</code>" for kind, proof in each["proofs"].items()]
        mark, kind = ("holds", "pass") if each["holds"] else ("fails", "fail")
        rows.append(
            f"<td>{escape(each['key'])}</td><td>{escape(each['title'])}</td>"
            f'<td>{"<br>".join(proofs)}</td><td class="{kind}">{mark}</td>'
        )
    return _table(("Control", "What is done", "Proof", ""), rows)


def _away(risks: Sequence[dict[str, str]]) -> str:
    rows = [_cells((each["owasp"], each["reason"])) for each in risks]
    return _table(("Risk", "Why"), rows) if rows else ""


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    top = "".join(f"<th>{escape(text)}</th>" for text in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
