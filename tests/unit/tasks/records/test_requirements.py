"""What the requirements demand and a validation does not give fails."""

from datetime import date

import pytest

from infra.digest import digest_bytes
from tasks.records import SecurityRequirements, Verdict
from tasks.records.requirements import Waived, unmet

SOME, OTHER = digest_bytes(b"some"), digest_bytes(b"other")
REQUIREMENTS = SecurityRequirements(
    digest=SOME,
    source=SOME,
    controls=("floor",),
    gates=("accuracy-floor",),
    metrics={"accuracy-floor": "accuracy"},
    settings={"data.min_rows": SOME},
    waived=(Waived(threat="other", owner="Ada", expires=date(2026, 11, 30)),),
)
GOOD: dict[str, object] = {
    "metrics": {"accuracy-floor": "accuracy", "more": "accuracy"},
    "judged": {"accuracy-floor"},
    "settings": {"data.min_rows": SOME},
    "source": SOME,
    "today": date(2026, 11, 30),
}


@pytest.mark.parametrize(
    ("change", "gate", "reason"),
    [
        ({"metrics": {}}, "accuracy-floor", "the gate policy lacks it"),
        ({"metrics": {"accuracy-floor": "macro_accuracy"}}, "accuracy-floor", "it judges macro_accuracy"),
        ({"judged": ()}, "accuracy-floor", "it was not judged"),
        ({"settings": {}}, "setting data.min_rows", "changed since"),
        ({"settings": {"data.min_rows": OTHER}}, "setting data.min_rows", "changed since"),
        ({"source": OTHER}, "security requirements", "the threat model was changed"),
        ({"today": date(2026, 12, 1)}, "waiver for other", "Ada's waiver expired on 2026-11-30"),
    ],
)
def test_what_is_missing_fails(change: dict[str, object], gate: str, reason: str) -> None:
    (result,) = unmet(REQUIREMENTS, **{**GOOD, **change})  # type: ignore[arg-type]  # from the table
    assert (result.gate, result.verdict) == (gate, Verdict.FAIL)
    assert reason in result.message


@pytest.mark.parametrize(
    "change", [{}, {"settings": None, "source": None}, {"judged": (), "not_applicable": ("accuracy-floor",)}]
)
def test_what_is_there_adds_nothing(change: dict[str, object]) -> None:
    assert unmet(REQUIREMENTS, **{**GOOD, **change}) == ()  # type: ignore[arg-type]  # from the table
