"""A real browser: Debian's chromium, driven by Playwright; tests are skipped where there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from infra.pages.browser import browser_flags, find_browser


# Of the module: as long as it is open an event loop runs here, and other tests need one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=browser_flags())
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample cards as files."""
    from tasks.deploy.card import card_page
    from tests.unit.tasks.deploy.card.samples import blocked_card, passing_card
    from tests.unit.tasks.deploy.card.test_limits import worst_card

    directory = tmp_path_factory.mktemp("cards")
    made = {"pass": passing_card(), "blocked": blocked_card(), "worst": worst_card()}
    for name, card in made.items():
        (directory / f"{name}.html").write_text(card_page(card), encoding="utf-8")
    return {name: directory / f"{name}.html" for name in made}
