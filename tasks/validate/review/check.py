"""Check `review`: whether the evaluation deserves trust, measured in every run beside what it measures.

evidence = run(workspace, candidate)
# evaluation_review, detector_self_test, label_noise, order_effect
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from infra.digest import canonical_json, digest_bytes
from infra.errors import IntegrityError
from infra.guard import GuardPolicy
from infra.signing.documents import parse_object
from infra.splits import read_split
from infra.statistics.intervals import wilson
from tasks.records import Candidate, Evidence, FineTuned, Row, SplitName
from tasks.validate.benchmark.hold_out import CODE, read_results, score_model
from tasks.validate.check import Check
from tasks.validate.finding import counted, findings_evidence, named
from tasks.validate.items import ItemResult
from tasks.validate.review.label_noise import label_noise
from tasks.validate.review.order import measure_order_effect
from tasks.validate.review.selftests import Judged, self_tests
from tasks.validate.review.soundness import Facts, looks, sound

if TYPE_CHECKING:
    from infra.workspace import Workspace

Splits = dict[SplitName, list[Row]]
# There is no setting for one: answers are compared with labels, never judged by a model.
_JUDGE = "no judge is configured"


def run(workspace: "Workspace", candidate: Candidate) -> Sequence[Evidence]:
    """The four pieces; raises IntegrityError when splits, ledger or guard are not what they should be."""
    dataset = candidate.dataset
    splits: Splits = {
        name: [
            Row.model_validate(each) for each in read_split(workspace.store, stored, dataset.content[name])
        ]
        for name, stored in dataset.splits.items()
    }
    items = answers_to_test(workspace, candidate)
    inputs = {"candidate": candidate.unit, "dataset": dataset.digest}
    return [
        _soundness(workspace, candidate, splits, items, inputs),
        self_test_evidence(self_tests(_guard(workspace, candidate)), {**inputs, "guard": candidate.guard}),
        _noise(workspace, items, {**inputs, "dataset": dataset.content["test"]}),
        _order(workspace, candidate, splits, {**inputs, "dataset": dataset.content["validation"]}),
    ]


def answers_to_test(workspace: "Workspace", candidate: Candidate) -> tuple[ItemResult, ...]:
    """The benchmark's own answers, which it keeps."""
    scored = score_model(
        workspace,
        subject=candidate.unit,
        dataset=candidate.dataset,
        base=candidate.base.digest,
        adapter=candidate.adapter.digest,
        prompt=candidate.prompt.definition,
    )
    return read_results(workspace, scored)


def self_test_evidence(judged: Sequence[Judged], inputs: dict[str, str]) -> Evidence:
    """Share of planted texts judged rightly, by group; raises ValueError for none."""
    groups = sorted({each.group for each in judged})
    failing = sorted({f"{each.group} {each.detector}" for each in judged if not each.right})
    detectors = len({(each.group, each.detector) for each in judged})
    return Evidence.of(
        "detector_self_test",
        counted([each.right for each in judged]),
        inputs,
        remark=named(failing) or f"{detectors} detectors and rules",
        slices={group: counted([each.right for each in judged if each.group == group]) for group in groups},
    )


def _soundness(
    workspace: "Workspace",
    candidate: Candidate,
    splits: Splits,
    items: Sequence[ItemResult],
    inputs: dict[str, str],
) -> Evidence:
    workspace.state()  # verifies the chain
    entries = workspace.ledger.entries()
    brought = workspace.handover.get("finetuned", FineTuned)
    facts = Facts(
        candidate=candidate,
        splits=splits,
        items=items,
        contamination=[e for e in (brought.evidence if brought else ()) if e.metric == "contamination"],
        statement=_statement(workspace, candidate),
        entries=entries,
        project=workspace.project,
    )
    total, _ = looks(entries, candidate.dataset.content["test"])
    remark = f"the hold-out was looked at {total} times, {_JUDGE}"
    return findings_evidence("evaluation_review", sound(facts), inputs, remark=remark)


def _noise(workspace: "Workspace", items: Sequence[ItemResult], inputs: dict[str, str]) -> Evidence:
    noise = label_noise(items)
    return Evidence.of(
        "label_noise",
        noise.share(),
        inputs,
        remark=f"{len(noise.suspects)} labels that the model contradicts with confidence",
        slices={label: wilson(found, n) for label, (found, n) in noise.by_label.items()},
        details=workspace.store.put_bytes(canonical_json(list(noise.suspects))),
    )


def _order(workspace: "Workspace", candidate: Candidate, splits: Splits, inputs: dict[str, str]) -> Evidence:
    # Validation rows: the hold-out is not looked at for this.
    changed, rows = measure_order_effect(workspace, candidate, [row.text for row in splits["validation"]])
    return Evidence.of(
        "order_effect",
        wilson(changed, rows),
        inputs,
        remark=f"{changed} of {rows} answers changed backwards and in smaller batches",
    )


def _statement(workspace: "Workspace", candidate: Candidate) -> dict[str, Any] | None:
    if candidate.provenance is None:
        return None
    return parse_object(workspace.store.get_bytes(candidate.provenance.statement), "provenance statement")


def _guard(workspace: "Workspace", candidate: Candidate) -> GuardPolicy:
    project = workspace.project
    data = project.path(project.guard).read_bytes()
    if (got := digest_bytes(data)) != candidate.guard:
        raise IntegrityError(f"guard policy: got {got}, the candidate names {candidate.guard}")
    return GuardPolicy.from_yaml(data)


CHECK = Check(
    name="review",
    metrics=("evaluation_review", "detector_self_test", "label_noise", "order_effect"),
    deadline_s=300,
    code=(
        "tasks.validate.review",
        "tasks.validate.redteam.detectors",
        *CODE,
    ),
    run=run,
    after=("benchmark",),
)
