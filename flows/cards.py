"""Release cards where people look: files, the run in MLflow, a Markdown artefact in the Prefect UI.

place = show_candidate(current, validated)      # after the verdict; never changes it
show_release(current, release)
"""

import re
from pathlib import Path

from prefect.artifacts import create_markdown_artifact

from flows.phase import Phase
from infra.errors import AssayError
from tasks.deploy.card import Card
from tasks.deploy.card.candidate import leave_card
from tasks.deploy.card.content import read_card
from tasks.deploy.card.markdown import card_markdown
from tasks.records import Release, Validated


def show_candidate(current: Phase, validated: Validated) -> str:
    """Where the candidate's card lies, or why there is none: a verdict stands without its card."""
    try:
        card, page = leave_card(current.workspace, validated)
    except Exception as error:  # noqa: BLE001  # whatever is wrong with a card, a block is no crash
        return f"none: {_line(error)}"
    try:
        _show(current, card, page)
    except Exception as error:  # noqa: BLE001  # nor is a service that does not answer
        return f"{page} (shown nowhere else: {_line(error)})"
    return str(page)


def _line(error: Exception) -> str:
    message = error.message if isinstance(error, AssayError) else f"{type(error).__name__}: {error}"
    return " ".join(message.split())[:300]


def show_release(current: Phase, release: Release) -> None:
    """The card of a release that exists; raises Unavailable when MLflow does not answer."""
    directory = Path(release.directory)
    card = read_card((directory / "card.json").read_bytes())
    _show(current, card, directory / "card.html")
    current.run.text("MODEL_CARD.md", (directory / "MODEL_CARD.md").read_text(encoding="utf-8"))


def _show(current: Phase, card: Card, page: Path) -> None:
    current.run.text("card.html", page.read_text(encoding="utf-8"))
    current.run.artifact("card.json", card.model_dump(mode="json"))
    create_markdown_artifact(
        key=f"card-{re.sub('[^a-z0-9]+', '-', card.project.lower()).strip('-')}",
        markdown=card_markdown(card, str(page)),
        description=f"{card.name}: {card.headline}",
    )
