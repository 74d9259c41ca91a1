"""Evidence that earlier phases brought along, admitted only when it is about this very candidate.

with_evidence(measured, candidate, finetuned.evidence)
"""

from collections.abc import Sequence

from infra.errors import IntegrityError
from tasks.records import Candidate, Evidence, EvidenceSet


def with_evidence(measured: EvidenceSet, candidate: Candidate, brought: Sequence[Evidence]) -> EvidenceSet:
    """The set with what develop and fine-tune measured, each piece bound to the candidate.

    Raises IntegrityError for evidence about another adapter, base, prompt or data set, for evidence that
    does not say what it is about, and for a metric that is measured twice.
    """
    about = _digests(candidate)
    seen = {item.metric for item in measured.evidence}
    bound = []
    for item in brought:
        if item.metric in seen:
            raise IntegrityError(f"evidence {item.metric!r} was measured twice", hint="run finetune again")
        seen.add(item.metric)
        _check(item, about)
        bound.append(item.model_copy(update={"inputs": {**item.inputs, "candidate": candidate.unit}}))
    return measured.model_copy(update={"evidence": (*measured.evidence, *bound)})


def _check(item: Evidence, about: dict[str, frozenset[str]]) -> None:
    known = {name: digest for name, digest in item.inputs.items() if name in about}
    if not known:
        raise IntegrityError(f"evidence {item.metric!r} does not say what it was measured on")
    for name, digest in known.items():
        if digest not in about[name]:
            raise IntegrityError(
                f"evidence {item.metric!r} was measured on {name} {digest},"
                f" expected {' or '.join(sorted(about[name]))}",
                hint="run develop and finetune again",
            )


def _digests(candidate: Candidate) -> dict[str, frozenset[str]]:
    dataset = candidate.dataset
    return {
        "adapter": frozenset({candidate.adapter.digest}),
        "base": frozenset({candidate.base.digest}),
        "prompt": frozenset({candidate.prompt.digest}),
        "dataset": frozenset({dataset.digest, *dataset.content.values()}),
        **{f"split.{name}": frozenset({digest}) for name, digest in dataset.content.items()},
        "train": frozenset({dataset.content["train"]}),
    }
