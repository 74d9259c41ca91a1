"""One share over everything, by group; what is missing is named in the remark."""

import pytest

from infra.digest import digest_bytes
from tasks.records import Evidence
from tasks.validate.finding import Finding, counted, findings_evidence

UNIT = {"candidate": digest_bytes(b"unit")}


def evidence(findings: list[Finding]) -> Evidence:
    return findings_evidence("control_evidence", findings, UNIT)


def finding(name: str, **proofs: str) -> Finding:
    return Finding(name=name, proofs=proofs)


def test_everything_holds() -> None:
    item = evidence([finding("a", gate="", test=""), finding("b", setting="")])
    assert (item.metric, item.value, item.lower, item.upper, item.n) == ("control_evidence", 1.0, 1.0, 1.0, 2)
    assert item.method == "complete count; 3 proofs hold"
    assert {name: part.n for name, part in item.slices.items()} == {"gate": 1, "setting": 1, "test": 1}


def test_one_proof_that_fails_fails_its_control() -> None:
    item = evidence([finding("a", gate="", test="gone; and more"), finding("b", gate="")])
    assert item.value == 0.5
    assert item.slices["gate"].value == 1.0
    assert item.slices["test"].value == 0.0
    assert item.method == "complete count; not shown: a: gone, and more"


def test_many_problems_are_counted() -> None:
    item = evidence([finding(f"c{number}", code="gone") for number in range(5)])
    assert item.value == 0.0
    assert item.method.endswith("c0: gone, c1: gone, c2: gone and 2 more")


def test_nothing_to_look_at_is_no_evidence() -> None:
    with pytest.raises(ValueError, match="nothing to count"):
        evidence([])
    with pytest.raises(ValueError, match="nothing to count"):
        counted([])
