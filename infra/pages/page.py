"""The frame of every page: head, content security policy, style; all text that is passed in is escaped.

html_page("Data quality", header_html, [section("Rows", "<p>…</p>")])
"""

from collections.abc import Iterable
from html import escape

from infra.pages.style import STYLE


def html_page(title: str, header: str, sections: Iterable[str]) -> str:
    """A whole document; `title` is text, `header` and `sections` are HTML that the caller has escaped."""
    body = "\n".join(part for part in sections if part)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header><h1>{escape(title)}</h1>
{header}</header>
{body}
</body>
</html>
"""


def section(title: str, body: str) -> str:
    """One headed part of a page; empty when there is nothing to show."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""
