"""The frame of every page: head, content security policy, style; all text that is passed in is escaped.

html_page("Data quality", header_html, [section("Rows", "<p>…</p>")])
"""

from collections.abc import Iterable

from infra.pages.style import STYLE
from infra.pages.words import shown

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_page(title: str, header: str, sections: Iterable[str]) -> str:
    """A whole document; `title` is text, `header` and `sections` are HTML that the caller has escaped."""
    body = "\n".join(part for part in sections if part)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{shown(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><h1>{shown(title)}</h1>
{header}</header>
<main id="main">
{body}
</main>
</body>
</html>
"""


def section(title: str, body: str, *, kind: str = "") -> str:
    """One headed part of a page; empty when there is nothing to show. `kind` is a class of the style."""
    marked = f' class="{kind}"' if kind else ""
    return f"<section{marked}><h2>{shown(title)}</h2>{body}</section>" if body else ""


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, caption: str = "") -> str:
    """A table whose heads and first cells name what they head; heads and cells are HTML, `caption` text."""
    named = f"<caption>{shown(caption)}</caption>" if caption else ""
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = "".join(_row(list(row)) for row in rows)
    head = f"<thead><tr>{top}</tr></thead>" if top else ""
    return f'<div class="wide"><table>{named}{head}<tbody>{body}</tbody></table></div>'


def _row(cells: list[str]) -> str:
    rest = "".join(f"<td>{cell}</td>" for cell in cells[1:])
    return f'<tr><th scope="row">{cells[0]}</th>{rest}</tr>'


def details(summary: str, body: str, *, opened: bool = False) -> str:
    """A part that a reader opens; on paper it always is. `summary` is text."""
    return f"<details{' open' if opened else ''}><summary>{shown(summary)}</summary>{body}</details>"
