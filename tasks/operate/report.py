"""One self-contained HTML page for a window of traffic: verdict, limits, latency histogram.

render_report(report, traffic)    # str, no scripts, nothing fetched from anywhere
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

from tasks.operate.traffic import Traffic
from tasks.records import LimitResult, OperateReport

_BARS = 24
_WIDTH, _HEIGHT, _BASE = 640, 160, 130
_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:720px;
margin:2em auto;padding:0 1em}
table{border-collapse:collapse;width:100%}
td,th{padding:.35em .6em;border-bottom:1px solid #8885;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}code{overflow-wrap:anywhere}
.pass{color:#1a7f37}.fail{color:#cf222e}.inconclusive{color:#9a6700}
svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:currentColor}
"""


def render_report(report: OperateReport, traffic: Traffic) -> str:
    """The page; everything that came from outside is escaped."""
    window = report.window
    title = f"{report.project}: {report.verdict.upper()}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f'<h1 class="{escape(report.verdict)}">{escape(title)}</h1>'
        f"<p>{escape(window.start)} to {escape(window.end)}: {window.requests} requests,"
        f" {window.errors} errors, {window.blocked} blocked."
        f" Champion: <code>{escape(report.champion or 'none')}</code></p>"
        f"<h2>Limits</h2><table>{''.join(map(_limit_row, report.limits))}</table>"
        f"<h2>Latency of {len(traffic.latencies_ms)} answers (ms)</h2>{histogram(traffic.latencies_ms)}"
        f"{_table('Outcomes', traffic.outcomes)}{_table('Guard rules that blocked', traffic.rules)}"
        f"{_table('Requests by release', window.releases)}{_malformed(traffic)}</body></html>\n"
    )


def _limit_row(result: LimitResult) -> str:
    verdict = escape(result.verdict)
    return f'<tr><td class="{verdict}">{verdict}</td><td>{escape(result.message)}</td></tr>'


def _table(title: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    rows = "".join(
        f'<tr><td><code>{escape(name)}</code></td><td class="n">{count}</td></tr>'
        for name, count in counts.items()
    )
    return f"<h2>{escape(title)}</h2><table>{rows}</table>"


def _malformed(traffic: Traffic) -> str:
    if not traffic.malformed_lines:
        return ""
    items = "".join(f"<li><code>{escape(reason)}</code></li>" for reason in traffic.malformed)
    return f"<h2>{traffic.malformed_lines} malformed log lines</h2><ul>{items}</ul>"


def histogram(values: Sequence[float]) -> str:
    """An inline SVG histogram on a logarithmic axis: latencies spread over orders of magnitude."""
    if not values:
        return "<p>Nothing was answered.</p>"
    logs = [math.log10(max(value, 0.1)) for value in values]
    low, high = min(logs), max(logs)
    span = (high - low) or 1.0
    counts = [0] * _BARS
    for value in logs:
        counts[min(int((value - low) / span * _BARS), _BARS - 1)] += 1
    step, top = _WIDTH / _BARS, max(counts)
    bars = "".join(
        f'<rect x="{i * step + 1:.1f}" y="{_BASE - 120 * n / top:.1f}" width="{step - 2:.1f}"'
        f' height="{120 * n / top:.1f}" fill="#4c8bf5"><title>{_edge(low, span, i)} to'
        f" {_edge(low, span, i + 1)} ms: {n}</title></rect>"
        for i, n in enumerate(counts)
        if n
    )
    marks = "".join(
        f'<text x="{i * step:.1f}" y="{_BASE + 16}" text-anchor="{anchor}">{_edge(low, span, i)}</text>'
        for i, anchor in ((0, "start"), (_BARS // 2, "middle"), (_BARS, "end"))
    )
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="latency histogram">'
    return f"{head}{bars}{marks}</svg>"


def _edge(low: float, span: float, bar: int) -> str:
    return f"{10 ** (low + span * bar / _BARS):.3g}"
