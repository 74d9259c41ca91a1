"""What a unit is made of, with what its licences ask us to say."""

from infra.pages.page import table
from infra.pages.words import shown
from tasks.records import Candidate, GateReport, Record


class Ingredient(Record):
    """One part of the served unit, with what its licence asks us to say."""

    part: str
    name: str
    digest: str
    licence: str = ""
    source: str = ""
    notice: str = ""


def ingredients_of(candidate: Candidate, report: GateReport) -> tuple[Ingredient, ...]:
    """Every part by digest."""
    base, data, adapter, prompt = candidate.base, candidate.dataset, candidate.adapter, candidate.prompt
    return (
        Ingredient(
            part="base model", name=base.name, digest=base.digest, licence=base.licence, source=base.source
        ),
        Ingredient(
            part="data",
            name=data.name,
            digest=data.digest,
            licence=data.licence,
            source=data.source,
            notice=data.notice,
        ),
        Ingredient(part="adapter", name="LoRA adapter trained here", digest=adapter.digest),
        Ingredient(part="prompt", name=prompt.name, digest=prompt.digest),
        Ingredient(part="guard policy", name="guard/guard.yaml", digest=candidate.guard),
        Ingredient(part="access policy", name="access/access.yaml", digest=candidate.access),
        Ingredient(part="requirements", name="threat model", digest=candidate.requirements.digest),
        Ingredient(part="gates", name="gate policy", digest=report.policy),
        Ingredient(part="evidence", name="evidence.json", digest=report.evidence),
        Ingredient(part="configuration", name="resolved settings", digest=candidate.config),
        Ingredient(part="training code", name="source digest", digest=adapter.code),
    )


def ingredients_html(ingredients: tuple[Ingredient, ...], rows: dict[str, int]) -> str:
    """A table, and the notices of licences in full."""
    split = ", ".join(f"{count} {name}" for name, count in rows.items())
    notices = "".join(
        f"<blockquote><strong>{shown(each.name)}</strong> ({shown(each.licence)}):"
        f" {shown(each.notice, most=6000)}</blockquote>"
        for each in ingredients
        if each.notice
    )
    return (
        f"<p>Rows: {shown(split)}.</p>{table(('part', 'name', 'digest'), map(_line, ingredients))}{notices}"
    )


def _line(each: Ingredient) -> tuple[str, ...]:
    details = " · ".join(shown(text) for text in (each.licence, each.source) if text)
    name = f"{shown(each.name)}{f'<br><small>{details}</small>' if details else ''}"
    return shown(each.part), name, f"<code>{shown(each.digest)}</code>"
