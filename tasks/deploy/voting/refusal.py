"""Why a decision does not count: a code for programs and the ledger, a line for people.

raise DecisionRefused(Why.REPLAYED, "this one-time code was used before", hint="wait for the next one")
"""

from enum import StrEnum
from typing import Self

from infra.errors import PromotionDenied


class Why(StrEnum):
    """Reasons to refuse a decision."""

    NOBODY_LISTED = "nobody-listed"
    UNKNOWN_APPROVER = "unknown-approver"
    ROLE = "role"
    DELEGATION = "delegation"
    SELF_APPROVAL = "self-approval"
    ORIGIN_UNKNOWN = "origin-unknown"
    METHOD = "method"
    UNSIGNED = "unsigned"
    UNUSABLE = "unusable"
    SAME_SIGNER = "same-signer"
    WRONG_CODE = "wrong-code"
    TOO_MANY_CODES = "too-many-codes"
    REPLAYED = "replayed"
    VOTED = "voted-already"
    WRONG_SUBJECT = "wrong-subject"
    WRONG_PROFILE = "wrong-profile"
    NOT_WAITING = "not-waiting"
    EXPIRED = "expired"


class DecisionRefused(PromotionDenied):
    """Raised when a decision does not count; nothing was decided by it."""

    def __init__(self, code: Why, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code

    def __reduce__(self) -> tuple[type[Self], tuple[Why, str, str]]:  # type: ignore[override]  # one more argument than its parent
        return type(self), (self.code, self.message, self.hint)
