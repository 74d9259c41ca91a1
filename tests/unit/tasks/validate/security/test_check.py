"""One share over everything, by group; what is missing is named in the remark."""

import pytest

from infra.digest import digest_bytes
from tasks.validate.security.check import CHECK, counted, security_evidence
from tasks.validate.security.finding import Finding

UNIT = {"candidate": digest_bytes(b"unit")}


def finding(name: str, **proofs: str) -> Finding:
    return Finding(name=name, proofs=proofs)


def test_everything_holds() -> None:
    item = security_evidence([finding("a", gate="", test=""), finding("b", setting="")], UNIT)
    assert (item.metric, item.value, item.lower, item.upper, item.n) == ("control_evidence", 1.0, 1.0, 1.0, 2)
    assert item.method == "complete count; 3 proofs hold"
    assert {name: part.n for name, part in item.slices.items()} == {"gate": 1, "setting": 1, "test": 1}


def test_one_proof_that_fails_fails_its_control() -> None:
    item = security_evidence([finding("a", gate="", test="gone; and more"), finding("b", gate="")], UNIT)
    assert item.value == 0.5
    assert item.slices["gate"].value == 1.0
    assert item.slices["test"].value == 0.0
    assert item.method == "complete count; not shown: a: gone, and more"


def test_many_problems_are_counted() -> None:
    item = security_evidence([finding(f"c{number}", code="gone") for number in range(5)], UNIT)
    assert item.value == 0.0
    assert item.method.endswith("c0: gone, c1: gone, c2: gone and 2 more")


def test_nothing_to_look_at_is_no_evidence() -> None:
    with pytest.raises(ValueError, match="nothing to count"):
        security_evidence([], UNIT)
    with pytest.raises(ValueError, match="nothing to count"):
        counted([])


def test_it_is_never_taken_from_an_earlier_run() -> None:
    assert not CHECK.kept
