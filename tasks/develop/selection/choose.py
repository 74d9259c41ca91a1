"""From the table of candidates to the base that is handed on.

base = chosen_base(comparison)
base.reasons        # one line for every candidate
"""

from tasks.records import BaseModelVersion
from tasks.records.selection import BaseComparison


def chosen_base(comparison: BaseComparison) -> BaseModelVersion:
    """The chosen candidate, with the reasons for and against every one."""
    reasons = []
    for row in comparison.rows:
        line = f"{row.check.name}: {row.check.verdict}: {'; '.join(row.check.reasons)}"
        reasons.append(
            f"{line}; chosen: {comparison.reason}" if row.check.name == comparison.chosen else line
        )
    check = comparison.row(comparison.chosen).check
    return BaseModelVersion.model_validate(
        {
            "name": check.name,
            "digest": check.digest,
            "licence": check.licence,
            "source": check.source,
            "parameters": check.parameters,
            "bytes": check.bytes,
            "reasons": reasons,
        }
    )
