"""One thing that has to hold of a candidate, and why it does not where it does not.

Finding("base-licence", "licence", "got GPL-3.0, allowed are MIT")
"""

from pydantic import Field

from tasks.records.record import Record


class Finding(Record):
    """A control of the threat model, or a check that every candidate gets."""

    name: str = Field(min_length=1)
    proofs: dict[str, str] = Field(
        min_length=1, description="by group (gate, setting, code, test, licence, …): empty, or what is wrong"
    )

    @property
    def problem(self) -> str:
        """The first thing that is wrong; empty when every proof holds."""
        return next((f"{self.name}: {reason}" for reason in self.proofs.values() if reason), "")
