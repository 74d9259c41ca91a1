"""A Chromium that is installed, for printing a page to PDF; nothing needs one but that.

print_pdf(Path("card.html"), Path("card.pdf"))       # Unavailable where there is none
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.errors import Unavailable

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_DEADLINE_S = 60
QUIET_FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-default-browser-check",
)
"""What keeps a browser from asking the network by itself."""


def find_browser() -> str | None:
    """The path of a Chromium on PATH, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def browser_flags() -> list[str]:
    """Flags for a headless start; root has no sandbox to start it in."""
    return [*QUIET_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def print_pdf(page: Path, target: Path) -> None:
    """Print a local page; raises Unavailable when there is no browser or it writes nothing."""
    browser = find_browser()
    if browser is None:
        raise Unavailable("no Chromium was found on PATH", hint="print the page from a browser")
    with tempfile.TemporaryDirectory(prefix="assay-print-") as profile:
        made = Path(profile) / "page.pdf"
        command = [
            browser, "--headless", *browser_flags(), f"--user-data-dir={profile}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={made}", page.absolute().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=_DEADLINE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{browser} did not print: {error}") from error
        if done.returncode != 0 or not made.exists():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise Unavailable(f"{browser} wrote no PDF (exit {done.returncode}): {' '.join(last)[:300]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, target)
