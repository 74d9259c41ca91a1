"""The frame: closed policy, a way past the head, tables that name their heads."""

from infra.pages.page import details, html_page, section, table


def test_the_page_may_load_and_run_nothing() -> None:
    page = html_page("T", "", [])
    assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" in page


def test_the_keyboard_can_skip_to_the_content() -> None:
    page = html_page("T", "", ["<p>x</p>"])
    assert page.index('href="#main"') < page.index("<h1>") < page.index('<main id="main">')


def test_heads_have_a_scope_and_captions_are_escaped() -> None:
    html = table(("a", "b"), [("1", "2")], caption="<i>")
    assert html.count('scope="col"') == 2
    assert html.count('scope="row"') == 1
    assert "<caption>&lt;i&gt;</caption>" in html


def test_titles_are_escaped_and_empty_sections_vanish() -> None:
    assert "<b>" not in html_page("<b>", "", [section("<b>", "x"), details("<b>", "x")])
    assert section("T", "") == ""
