"""The quality report as one HTML file that is read offline: no script, no external asset, no cell values.

quality_page(dataset, make_data_card(dataset, project), quality_evidence(dataset))
"""

from collections.abc import Sequence
from html import escape

from infra.pages.charts import Bar, Bins, Level, bar_chart, histogram, small_multiples, waterfall
from infra.pages.page import html_page, section
from tasks.develop.datacard import DataCard, card_html
from tasks.records import DatasetVersion, Evidence
from tasks.records.quality import SPLITS, ExpectationResult, Lengths

_MOST_PANELS = 24


def quality_page(dataset: DatasetVersion, card: DataCard, evidence: Sequence[Evidence]) -> str:
    """The whole page; a function of these records alone."""
    total = sum(dataset.rows.values())
    origin = f"{total:,} rows from {escape(dataset.source)}"
    header = f"<p>data set <code>{escape(dataset.digest)}</code><br>{origin}</p>"
    return html_page(
        f"Data quality: {dataset.name}",
        header,
        (
            _verdict(dataset),
            section("Rows by label and split", _labels(dataset)),
            section("What each stage left out", _stages(dataset)),
            section("Expectations", _expectations(dataset.quality.results)),
            section("Duplicates and contamination: evidence for the gates", _evidence(dataset, evidence)),
            section("Length of texts", _lengths(dataset)),
            section("Licences and sources", _origins(dataset)),
            section("Data card", card_html(card)),
        ),
    )


def _verdict(dataset: DatasetVersion) -> str:
    quality = dataset.quality
    if quality.passed:
        blocking = sum(result.blocking for result in quality.results)
        word, kind = "PASS: fit to train and test on", "pass"
        lines = [f"{blocking} blocking expectations hold on every row; all guards hold."]
        if noted := quality.violating_rows:
            lines.append(f"{noted:,} rows are against an expectation whose share is left to the gates.")
    else:
        word, kind, lines = "FAIL: not fit to train and test on", "fail", list(quality.failed)
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<section class="verdict {kind}"><p class="word">{word}</p>{said}</section>'


def _labels(dataset: DatasetVersion) -> str:
    profiles = dataset.quality.split_profiles
    if not profiles:
        return ""
    bars = [
        Bar(label, tuple(profile.labels.get(label, 0) for profile in profiles.values()))
        for label in dataset.labels
    ]
    if any(profile.unknown_labels for profile in profiles.values()):
        bars.append(Bar("(none or not allowed)", tuple(p.unknown_labels for p in profiles.values())))
    totals = ", ".join(f"{dataset.rows.get(name, 0):,} {name}" for name in SPLITS)
    chart = bar_chart("Rows by label and split", bars, series=tuple(profiles))
    return f"<p>Rows: {escape(totals)}.</p>{chart}"


def _stages(dataset: DatasetVersion) -> str:
    if not dataset.stages:
        return bar_chart("Rows left out", [Bar(why, (rows,)) for why, rows in dataset.dropped.items()])
    levels = [Level(stage.name, stage.rows_in, stage.rows_out) for stage in dataset.stages]
    rows = [
        (stage.name, what, f"{count:,}", kind)
        for stage in dataset.stages
        for kind, counts in (("left out", stage.dropped), ("changed or marked", stage.changed))
        for what, count in counts.items()
    ]
    detail = _table(("stage", "reason", "rows", "which were"), rows) if rows else "<p>No row was touched.</p>"
    return waterfall("Rows after each stage", levels) + detail


def _expectations(results: Sequence[ExpectationResult]) -> str:
    if not results:
        return "<p>No expectation was evaluated.</p>"
    body = "".join(map(_expectation, results))
    heads = "".join(f"<th>{head}</th>" for head in ("expectation", "evaluated on", "rows against", "verdict"))
    return (
        "<p>Evaluated by Great Expectations on derived columns and counted a second time by other code; a"
        " difference between the two counts fails.</p>"
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _expectation(result: ExpectationResult) -> str:
    kind, word = "pass", "pass"
    if not result.passed:
        kind, word = (
            ("fail", "fail") if result.blocking or result.error else ("inconclusive", "left to the gates")
        )
    against = result.error or f"{result.unexpected:,}"
    return (
        f"<tr><th>{escape(result.rule)}</th><td>{result.evaluated:,}</td><td>{escape(against)}</td>"
        f'<td class="{kind}">{word}</td></tr>'
    )


def _evidence(dataset: DatasetVersion, evidence: Sequence[Evidence]) -> str:
    rows = [
        (
            each.metric,
            f"{100 * each.value:.2f}\u00a0%",
            f"{100 * each.lower:.2f} to {100 * each.upper:.2f}\u00a0%",
            f"{each.n:,}",
            each.method,
        )
        for each in evidence
    ]
    overlap = dataset.quality.overlap
    words = "<p>Overlap with training was not measured.</p>"
    if overlap is not None:
        words = (
            f"<p>{overlap.contaminated:,} of {overlap.evaluation_rows:,} evaluation rows share"
            f" {overlap.run_words} words in a row, or all their words, with a training row;"
            f" {overlap.whole_rows:,} are training rows as a whole. Counted apart from the preparation.</p>"
        )
    return words + (_table(("metric", "value", "95 % interval", "n", "method"), rows) if rows else "")


def _lengths(dataset: DatasetVersion) -> str:
    quality = dataset.quality
    if not quality.split_profiles:
        return ""
    splits = [(name, profile.characters) for name, profile in quality.split_profiles.items()]
    everything = histogram("Characters of all texts", _total([each for _, each in splits]), unit="characters")
    by_split = [(name, _bins(each)) for name, each in splits]
    known = [label for label in dataset.labels if label in quality.label_characters]
    panels = [(label, _bins(quality.label_characters[label])) for label in known[:_MOST_PANELS]]
    rows = [
        (name, each.unit, f"{each.median:,}", f"{each.p95:,}", f"{each.most:,}")
        for name, profile in quality.split_profiles.items()
        for each in (profile.characters, profile.words)
    ]
    table = _table(("split", "unit", "median", "95th percentile", "most"), rows)
    more = len(known) - len(panels)
    note = f"<p>{more} more labels are not drawn.</p>" if more else ""
    return (
        f"{table}<h3>all texts</h3>{everything}"
        f"<h3>by split</h3>{small_multiples('Characters by split', by_split, unit='characters', columns=3)}"
        f"<h3>by label</h3>{small_multiples('Characters by label', panels, unit='characters')}{note}"
    )


def _total(lengths: Sequence[Lengths]) -> Bins:
    """All splits together: their histograms have the same edges."""
    counts = zip(*(each.histogram.counts for each in lengths), strict=True)
    return Bins(lengths[0].histogram.edges, tuple(map(sum, counts)))


def _bins(lengths: Lengths) -> Bins:
    return Bins(lengths.histogram.edges, lengths.histogram.counts)


def _origins(dataset: DatasetVersion) -> str:
    parts = []
    for name, counts in (("licence", dataset.quality.licences), ("source", dataset.quality.sources)):
        if counts:
            parts.append(_table((name, "rows"), [(value, f"{rows:,}") for value, rows in counts.items()]))
    return "".join(parts)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
