"""What is asked about a release, and what one approver decided: the content of a signed decision."""

from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from tasks.records.record import Digest, Record
from tasks.records.waiver import Line

Proof = Literal["key", "keyless", "totp", "auto"]


class Binding(Record):
    """What a decision is about; if any of it changes, a new decision is needed."""

    release: Digest
    gate_report: Digest
    gates: Digest = Field(description="gate rules that the report was made under")
    rules: Digest = Field(description="who may decide and how many have to, as it stood; in the store")
    request: Digest = Field(description="ledger entry that asked: a decision answers one request, once")


class Decision(Record):
    """What one approver decided, or the policy that asks nobody."""

    binding: Binding
    decision: Literal["approve", "reject"]
    approver: Line = Field(min_length=1, max_length=128)
    on_behalf_of: Line = Field("", max_length=128, description="whose seat is taken; empty: their own")
    reason: Line = Field(min_length=3, max_length=2000)
    method: Proof = Field(description="how it is proven who decided")
    time: AwareDatetime
    expires: AwareDatetime = Field(description="an approval that was not rolled out by then does not count")
    code: Digest | None = Field(None, description="for totp: digest over approver and time step, used up")

    @property
    def seat(self) -> str:
        """Whose right to decide is used."""
        return self.on_behalf_of or self.approver

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.expires <= self.time:
            raise ValueError("a decision expires after it was made")
        if (self.method == "totp") != (self.code is not None):
            raise ValueError("a one-time code belongs to method totp, and to no other")
        if (self.method == "auto") != self.approver.startswith("policy:"):
            raise ValueError("only a policy decides by method auto")
        if self.method == "auto" and (self.decision != "approve" or self.on_behalf_of):
            raise ValueError("a policy approves, and for nobody else")
        return self
