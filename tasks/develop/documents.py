"""The documents about a prepared data set: its quality report and its data card, drawn from records alone.

documents = quality_documents(dataset, project)
run.text("quality.html", documents.report), run.text("datacard.md", documents.card)
"""

from dataclasses import dataclass

from infra.config.project import Project
from tasks.develop.datacard import card_markdown, make_data_card
from tasks.develop.quality import quality_evidence
from tasks.develop.quality.page import quality_page
from tasks.records import DatasetVersion


@dataclass(frozen=True)
class QualityDocuments:
    """Texts to be written or logged; they hold counts and settings, no cell of a row."""

    report: str
    """HTML, one file."""
    card: str
    """Markdown with a YAML head."""


def quality_documents(dataset: DatasetVersion, project: Project) -> QualityDocuments:
    """Both documents, also of a data set that failed its check."""
    card = make_data_card(dataset, project)
    return QualityDocuments(quality_page(dataset, card, quality_evidence(dataset)), card_markdown(card))
