"""Detectors tried on what was planted for them: a hit that they must find, a miss that they must let be.

judged = self_tests(guard)       # every planted text, and whether it was judged rightly

Perturbations and the poison screen are fine-tune's: the screen brings its own recall on planted rows.
"""

from collections.abc import Sequence

from infra.guard import GuardPolicy
from tasks.validate.review.selftests.guarding import guard_tests
from tasks.validate.review.selftests.judged import Judged
from tasks.validate.review.selftests.redacting import personal_tests, secret_tests

__all__ = ["Judged", "self_tests"]


def self_tests(guard: GuardPolicy) -> Sequence[Judged]:
    """The red team's detectors, the guard's rules, the redactors of secrets and of personal data."""
    return (*_red_team(), *guard_tests(guard), *secret_tests(guard), *personal_tests())


def _red_team() -> list[Judged]:
    from tasks.validate.redteam.detectors import self_test

    right, total, failing = self_test()
    # Which of its texts were misjudged is the red team's to say; here every one counts, and every detector.
    wrong = [Judged("red team", name, False) for name in failing]
    wrong += [Judged("red team", "planted text", False)] * (total - right - len(wrong))
    return [*wrong, *[Judged("red team", "planted text", True)] * (total - len(wrong))]
