"""The release card in a real browser: nothing leaves the page, nothing overflows, it prints; with pictures.

With ASSAY_PICTURES=docs the first screens are kept there (`make card-pictures`).
"""

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route

from infra.pages.browser import print_pdf

CARDS = ("pass", "blocked")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = {"wide": 1100, "narrow": 360}
MOST_S = 3.0


@dataclass
class Watched:
    """A page, and everything that it asked for or complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def stop(self, route: Route) -> None:
        """Count what would have left the page."""
        self.left.append(route.request.url)
        route.abort()


@contextmanager
def opened(browser: Browser, file: Path, scheme: Literal["light", "dark"], width: int) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    watched = Watched(context.new_page())
    watched.page.on("request", lambda request: watched.requests.append(request.url))
    watched.page.on("console", lambda message: watched.complaints.append(message.text))
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    # Whatever would go anywhere is counted and goes nowhere.
    context.route(re.compile(r"^(?!file:)"), watched.stop)
    watched.page.goto(file.as_uri(), wait_until="load")
    yield watched
    context.close()


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [*itertools.product(CARDS, SCHEMES, WIDTHS), ("worst", "light", "wide"), ("worst", "dark", "narrow")],
)
def test_it_asks_for_nothing_and_fits(
    browser: Browser,
    pages: dict[str, Path],
    name: str,
    scheme: Literal["light", "dark"],
    width: str,
    tmp_path: Path,
) -> None:
    with opened(browser, pages[name], scheme, WIDTHS[width]) as watched:
        page = watched.page
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert watched.requests == [pages[name].as_uri()]
        assert watched.left == []
        assert watched.complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
        # Where something is wider than the page, it has a scroll bar of its own.
        assert page.evaluate(_OVERFLOWING) == []
        assert len(page.screenshot(path=tmp_path / "card.png")) > 10_000


_OVERFLOWING = """() => [...document.querySelectorAll('main *')].filter(each =>
    !each.closest('.wide') && !each.closest('svg') &&
    each.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(each => each.outerHTML.slice(0, 120))"""


def test_the_watch_sees_what_it_watches_for(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<main><p style='width:2000px'>x</p></main><img src='https://example.invalid/x.png'>")
    with opened(browser, bad, "light", 360) as watched:
        assert watched.left == ["https://example.invalid/x.png"]
        assert watched.complaints
        assert watched.page.evaluate(_OVERFLOWING)


def test_the_policy_stops_what_a_card_must_not_hold(
    browser: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    evil = "<script>document.title='taken'</script><img src='https://example.invalid/x.png'>"
    page = pages["pass"].read_text(encoding="utf-8").replace("</main>", f"{evil}</main>")
    (tmp_path / "evil.html").write_text(page, encoding="utf-8")
    with opened(browser, tmp_path / "evil.html", "light", 800) as watched:
        assert watched.page.title() != "taken"
        assert watched.left == []
        assert any("Content Security Policy" in each for each in watched.complaints)


@pytest.mark.parametrize("name", [*CARDS, "worst"])
def test_it_renders_in_time(browser: Browser, pages: dict[str, Path], name: str) -> None:
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    # The renderer's own processor time: what others do on the machine does not count.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(pages[name].as_uri(), wait_until="load")
    measured = session.send("Performance.getMetrics")["metrics"]
    context.close()
    seconds = {each["name"]: each["value"] for each in measured}["TaskDuration"]
    assert 0 < seconds < MOST_S


def test_the_keyboard_reaches_content_and_details(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["pass"], "light", 1100) as watched:
        page = watched.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert not page.evaluate("document.activeElement.parentElement.open")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.parentElement.open")


def test_every_picture_has_words(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["pass"], "light", 1100) as watched:
        nameless = watched.page.evaluate(
            "[...document.querySelectorAll('svg')].filter(e => e.getAttribute('role') != 'img'"
            " || !(e.getAttribute('aria-label') || '').trim()).length"
        )
        assert nameless == 0
        assert watched.page.locator("th:not([scope])").count() == 0
        assert watched.page.locator("h1").count() == 1


def test_narrow_text_is_not_shrunk(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["blocked"], "light", 360) as watched:
        smallest = watched.page.evaluate(
            "Math.min(...[...document.querySelectorAll('main *')].filter(e => e.childElementCount == 0 &&"
            " e.textContent.trim() && !e.closest('title')).map(e => {"
            " const m = e.closest('svg')?.getScreenCTM?.(); return (m ? m.a : 1) *"
            " parseFloat(getComputedStyle(e).fontSize)}))"
        )
        assert smallest >= 9


@pytest.mark.parametrize("name", CARDS)
def test_it_prints(pages: dict[str, Path], name: str, browser: Browser, tmp_path: Path) -> None:
    print_pdf(pages[name], tmp_path / "card.pdf")
    printed = (tmp_path / "card.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 3
    assert b"/JavaScript" not in printed


def test_closed_parts_are_open_on_paper(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["pass"], "dark", 1100) as watched:
        seen = "document.querySelector('details table').checkVisibility()"
        assert not watched.page.evaluate(seen)
        watched.page.emulate_media(media="print", color_scheme="dark")
        assert watched.page.evaluate(seen)
        # Paper is white in whatever scheme the screen is.
        assert (
            watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )


@pytest.mark.skipif("ASSAY_PICTURES" not in os.environ, reason="only for `make card-pictures`")
@pytest.mark.parametrize("name", CARDS)
def test_pictures_for_the_documents(browser: Browser, pages: dict[str, Path], name: str) -> None:
    target = Path(os.environ["ASSAY_PICTURES"]) / f"card-{name}.png"
    with opened(browser, pages[name], "light", 960) as watched:
        watched.page.screenshot(path=target, clip={"x": 0, "y": 0, "width": 960, "height": 1250})
    assert target.stat().st_size < 250_000
