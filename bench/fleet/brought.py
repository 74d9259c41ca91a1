"""What the phases before validation would have measured of a candidate: screen, contamination, robustness.

brought(yard, built, ("robustness",))
"""

from collections.abc import Sequence

from fleet.member import Built
from fleet.yard import Yard
from infra.prompts import PromptTemplate
from infra.statistics.intervals import wilson
from tasks.records import Candidate, Evidence, Row

_SCREENED = ("suspected_poison", "screening_trigger_recall", "screening_flip_recall", "screening_false_rows")


def brought(yard: Yard, built: Built, wanted: Sequence[str]) -> tuple[Evidence, ...]:
    """Evidence as develop and fine-tune hand it over; the champion's own where its data was used."""
    known = {item.metric: item for item in yard.tuned.evidence}
    found: list[Evidence] = []
    if "contamination" in wanted:
        found.append(known["quality_violations"])
        found.append(
            known["contamination"] if built.trained_on is None else _contamination(yard, built.trained_on)
        )
    if "screening" in wanted:
        found += (
            [known[metric] for metric in _SCREENED if metric in known]
            if built.trained_on is None
            else _screened(yard, built.trained_on)
        )
    if "robustness" in wanted:
        found += _robustness(yard, built.candidate)
    return tuple(found)


def _contamination(yard: Yard, rows: Sequence[Row]) -> Evidence:
    import pyarrow as pa

    from tasks.develop.quality.scan import scan_texts

    evaluation = {name: yard.rows(name) for name in ("validation", "test")}
    texts = {"train": rows, **evaluation}
    scanned = scan_texts(
        {name: pa.chunked_array([[row.text for row in some]]) for name, some in texts.items()}
    )
    rows_of_evaluation = sum(len(some) for some in evaluation.values())
    return Evidence.of(
        "contamination",
        wilson(int(scanned.contaminated.sum()), rows_of_evaluation),
        _about(yard),
        remark="validation and test rows with the words of a training row",
    )


def _screened(yard: Yard, rows: Sequence[Row]) -> tuple[Evidence, ...]:
    from infra.guard import GuardPolicy
    from infra.models.embedding import embed
    from tasks.finetune.screening.evidence import screening_evidence
    from tasks.finetune.screening.quarantine import hold_back
    from tasks.finetune.screening.run import screen_and_test

    project = yard.workspace.project
    guard = GuardPolicy.from_yaml(project.path(project.guard).read_bytes())
    labels = yard.developed.dataset.labels

    def vectors(texts: Sequence[str]):  # type: ignore[no-untyped-def]
        return embed(texts, threads=1)

    report = screen_and_test(
        rows, vectors([row.text for row in rows]), project.screening, labels, guard, vectors
    )
    return screening_evidence(report, hold_back(rows, report, {}), project.screening, inputs=_about(yard))


def _robustness(yard: Yard, candidate: Candidate) -> tuple[Evidence, ...]:
    from infra.models.load import load_tuned
    from infra.models.scoring import LabelScorer
    from infra.models.threads import use_threads
    from tasks.finetune.robustness import measure_robustness, robustness_evidence

    store, template = yard.workspace.store, PromptTemplate.from_definition(candidate.prompt.definition)
    loaded = load_tuned(store.open_tree(candidate.base.digest), store.open_tree(candidate.adapter.digest))
    with use_threads(1):
        scorer = LabelScorer(loaded, template.messages, template.labels)
        report = measure_robustness(scorer, yard.rows("test"), yard.workspace.project.robustness)
    inputs = {
        "base": candidate.base.digest,
        "adapter": candidate.adapter.digest,
        "prompt": candidate.prompt.digest,
        "dataset": candidate.dataset.content["test"],
    }
    return robustness_evidence(report, inputs)


def _about(yard: Yard) -> dict[str, str]:
    dataset = yard.developed.dataset
    return {"dataset": dataset.digest, "train": dataset.content["train"]}
