"""Redactors on planted secrets and personal data: made up, of the right form, and others just beside it.

judged = [*secret_tests(guard), *personal_tests()]
"""

import re
from collections.abc import Iterator

from infra.guard import GuardPolicy
from infra.guard.pii import KINDS, redact_pii
from tasks.validate.review.selftests.judged import Judged
from tasks.validate.review.selftests.witness import witness

_ALONE = re.compile(r"found \[redacted:[a-z0-9-]+\]")
# None of these is anybody's: names of documentation, published test numbers, ranges for examples.
_PERSONAL: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "email": (
        ("ada@example.org", "a.b+c@mail.example.co.uk"),
        ("ada at example", "@handle", "user@localhost"),
    ),
    "iban": (("DE89 3704 0044 0532 0130 00",), ("DE88 3704 0044 0532 0130 00",)),
    "payment-card": (("4111 1111 1111 1111",), ("4111 1111 1111 1112", "0000 0000 0000 0000")),
    "us-ssn": (("078-05-1120",), ("000-12-3456", "078-00-1120")),
    "ip-address": (("81.2.69.142",), ("10.1.2.3", "127.0.0.1", "4.0.30319.42000")),
    "phone": (("+49 30 1234567", "555-234-5678"), ("+0 30 1234567", "155-234-5678")),
}


def secret_tests(guard: GuardPolicy) -> Iterator[Judged]:
    """Each start of each kind: the shortest secret goes, one that is a character too short stays."""
    for kind in guard.redactor.kinds:
        body = witness(f"[{kind.alphabet}]")
        for start in kind.starts:
            if body is None:
                yield Judged("secrets", kind.id, False)
                continue
            redacted, _ = guard.redactor.redact(f"found {start}{body * kind.least}")
            yield Judged("secrets", kind.id, _ALONE.fullmatch(redacted) is not None)
            shorter = f"{start}{body * (kind.least - 1)}" if kind.least else ""
            _, kinds = guard.redactor.redact(f"found {shorter}")
            yield Judged("secrets", kind.id, kind.id not in kinds)


def personal_tests() -> Iterator[Judged]:
    """Every kind that the redactor names; one without planted texts is judged wrongly."""
    for kind in KINDS:
        hits, misses = _PERSONAL.get(kind, ((), ()))
        if not hits or not misses:
            yield Judged("personal data", kind, False)
        for text in hits:
            redacted, kinds = redact_pii(f"write {text} down")
            yield Judged("personal data", kind, kinds == (kind,) and text not in redacted)
        for text in misses:
            yield Judged("personal data", kind, redact_pii(f"write {text} down")[1] == ())
