"""Things that have to hold, all of them looked at: what holds, what does not, and why.

item = findings_evidence("control_evidence", findings, inputs)      # share that holds, by group of proofs
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from infra.statistics.intervals import Interval
from tasks.records import Evidence
from tasks.records.record import Record

_MOST_NAMED = 3


class Finding(Record):
    """One thing that has to hold, with every proof of it."""

    name: str = Field(min_length=1)
    proofs: dict[str, str] = Field(
        min_length=1, description="by group (gate, setting, code, licence, …): empty, or what is wrong"
    )

    @property
    def problem(self) -> str:
        """The first thing that is wrong; empty when every proof holds."""
        return next((f"{self.name}: {reason}" for reason in self.proofs.values() if reason), "")


def findings_evidence(
    metric: str,
    findings: Sequence[Finding],
    inputs: Mapping[str, str],
    *,
    remark: str = "",
    details: str | None = None,
) -> Evidence:
    """Share of what holds, by group of proofs; the remark names what does not. Raises ValueError for none."""
    proofs = [(group, not reason) for item in findings for group, reason in item.proofs.items()]
    problems = [item.problem for item in findings if item.problem]
    return Evidence.of(
        metric,
        counted([not item.problem for item in findings]),
        inputs,
        remark=named(problems) or remark or f"{len(proofs)} proofs hold",
        slices={
            group: counted([holds for each, holds in proofs if each == group])
            for group in sorted({group for group, _ in proofs})
        },
        details=details,
    )


def named(problems: Sequence[str]) -> str:
    """The first problems in words, and how many more there are; empty for none."""
    if not problems:
        return ""
    more = f" and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
    # By convention of `method`, what follows its last "; " is the remark.
    shown = ", ".join(problem.replace("; ", ", ") for problem in problems[:_MOST_NAMED])
    return f"not shown: {shown}{more}"


def counted(holds: Sequence[bool]) -> Interval:
    """The share of all there is: nothing was sampled, so nothing is uncertain; raises ValueError for none."""
    if not holds:
        raise ValueError("nothing to count: got 0 items, expected at least one")
    share = sum(holds) / len(holds)
    return Interval(share, share, share, 0.95, len(holds), "complete count")
