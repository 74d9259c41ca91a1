"""What the guard found in one text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GuardVerdict:
    """The decision about one text; the text itself never appears in logs."""

    allowed: bool
    rule: str | None
    """Id of the rule that blocked, or None."""
    risk: str | None
    """Risk key of that rule (see the policy file), or None."""
    text_after_redaction: str
    """What may go on: invisible characters dropped, secrets replaced; empty when blocked."""
    redacted: tuple[str, ...] = ()
    """Ids of the secret patterns that were replaced, in order of appearance."""
