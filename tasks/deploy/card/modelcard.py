"""MODEL_CARD.md: the card in the form that model hubs read, front matter and all, from the same record.

model_card(card)

Keys follow Hugging Face's model card metadata: license, base_model, datasets, metrics, model-index. Values of
the front matter are written as JSON strings, which are YAML too, so nothing in them can end the block.
"""

import json
import re
from collections.abc import Iterable

from infra.pages.words import shortened, visible
from tasks.deploy.card import quantity
from tasks.deploy.card.content import Card
from tasks.deploy.card.gates import GateRow
from tasks.deploy.card.ingredients import Ingredient

_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def model_card(card: Card) -> str:
    """Markdown; a function of the card alone."""
    parts = (
        f"# {cell(card.title)}",
        cell(card.description) or "",
        f"Verdict: **{card.verdict.value}**. {cell(card.headline)}.",
        cell(card.summary),
        "## Gates",
        gate_table(card.gates),
        "## Made of",
        markdown_table(("part", "name", "licence", "digest"), map(_part, card.ingredients)),
        f"Training: {cell(card.training)}. Rows: {_rows(card)}.",
        *_notices(card.ingredients),
        "## What it is not for",
        "It answers with one of the labels of its prompt, also where none fits. What was not measured is said"
        " to be so in card.html; other kinds of text than its data are outside of what was measured.",
        "## Proof",
        "`release.json` names every file by SHA-256 and is signed (`release.sigstore.json`); `mlbom.cdx.json`"
        " is the bill of materials, `evidence.json` the measurements, `gate-report.json` the verdict."
        " `assay release verify` checks them all.",
    )
    return f"{_front_matter(card)}\n" + "\n\n".join(part for part in parts if part) + "\n"


def gate_table(gates: tuple[GateRow, ...]) -> str:
    """Gates as Markdown, in the order of the card."""
    return markdown_table(("gate", "verdict", "measured", "interval", "limit", "n"), map(_gate, gates))


def markdown_table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; cells must have gone through `cell`."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Any text as plain Markdown on one line: nothing in it is markup, a link or HTML."""
    flat = " ".join(visible(shortened(text, 600)).split())
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~<>&])", r"\\\1", flat)
    # What renderers turn into links by themselves.
    return escaped.replace("://", "\\:\\/\\/").replace("www.", "www\\.").replace("@", "\\@")


def _front_matter(card: Card) -> str:
    base = next(each for each in card.ingredients if each.part == "base model")
    data = next(each for each in card.ingredients if each.part == "data")
    spdx = _SPDX.fullmatch(base.licence) is not None
    lines = [
        "---",
        f"license: {_text(base.licence.lower() if spdx else 'other')}",
        *([] if spdx else [f"license_name: {_text(base.licence)}"]),
        f"base_model: {_text(base.name)}",
        "base_model_relation: adapter",
        "library_name: peft",
        "pipeline_tag: text-classification",
        f"datasets: [{_text(data.name)}]",
        f"metrics: {json.dumps([bar.metric for bar in _measured(card)])}",
        "tags: [lora, assay]",
        *_index(card, data),
        "---",
    ]
    return "\n".join(lines) + "\n"


def _index(card: Card, data: Ingredient) -> list[str]:
    rows = _measured(card)
    if not rows:
        return []
    task = {"type": "text-classification"}
    dataset = {"type": data.name, "name": data.name, "split": "test"}
    metrics = [{"type": row.metric, "value": row.value} for row in rows]
    results = [{"task": task, "dataset": dataset, "metrics": metrics}]
    index = [{"name": card.title, "results": results}]
    return [f"model-index: {_json(index)}"]


def _measured(card: Card) -> list[GateRow]:
    found: dict[str, GateRow] = {}
    for row in card.gates:
        if row.value is not None and row.slice is None:
            found.setdefault(row.metric, row)
    return [found[metric] for metric in sorted(found)]


def _text(value: str) -> str:
    return _json(visible(shortened(value, 300)))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _gate(row: GateRow) -> tuple[str, ...]:
    metric, verdict = row.metric, row.verdict.value
    if row.waiver is not None:
        verdict = f"waived by {row.waiver.owner} until {row.waiver.expires}"
    interval = "not measured"
    if row.lower is not None and row.upper is not None:
        interval = f"{quantity.number(metric, row.lower)} to {quantity.number(metric, row.upper)}"
    return (
        cell(row.gate),
        cell(verdict),
        "not measured" if row.value is None else cell(quantity.show(metric, row.value)),
        cell(interval),
        "none" if row.limit is None else cell(f"{row.op} {quantity.show_limit(metric, row.limit)}"),
        "none" if row.n is None else str(row.n),
    )


def _part(each: Ingredient) -> tuple[str, ...]:
    return cell(each.part), cell(each.name), cell(each.licence) or "–", f"`{cell(each.digest)}`"


def _rows(card: Card) -> str:
    return cell(", ".join(f"{count:,} {split}" for split, count in card.rows.items()))


def _notices(ingredients: tuple[Ingredient, ...]) -> list[str]:
    return [f"> {cell(each.name)}: {cell(each.notice)}" for each in ingredients if each.notice]
