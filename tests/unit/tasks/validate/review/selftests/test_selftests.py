"""Detectors that miss, or cry at everything, are found out on what was planted for them."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from infra.config.load import REPOSITORY
from infra.guard import GuardPolicy
from tasks.validate.review.check import self_test_evidence
from tasks.validate.review.selftests import Judged, guarding, redacting, self_tests
from tests.unit.tasks.deploy.samples import SOME

TEXT: dict[str, Any] = yaml.safe_load((REPOSITORY / "configs" / "guard.yaml").read_text())


def policy(change: Callable[[dict[str, Any]], object]) -> GuardPolicy:
    text = yaml.safe_load(yaml.safe_dump(TEXT))
    change(text)
    return GuardPolicy.from_yaml(yaml.safe_dump(text).encode())


def wrong(judged: list[Judged]) -> set[str]:
    return {each.detector for each in judged if not each.right}


def rule(pattern: str, **more: Any) -> dict[str, Any]:
    return {"id": "planted", "risk": "prompt_injection", "pattern": pattern, **more}


def test_what_is_delivered_is_judged_rightly_throughout() -> None:
    judged = list(self_tests(GuardPolicy.from_yaml((REPOSITORY / "configs" / "guard.yaml").read_bytes())))
    assert wrong(judged) == set()
    groups = {each.group for each in judged}
    assert groups == {"red team", "guard input", "guard output", "secrets", "personal data"}
    assert len(judged) > 400


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("IGNORE ALL", "text is folded to small letters before it is searched"),
        ("ıgnore all", "the dotless i is folded to i"),
        (r"drop ?table ?now", "a space is one or more separators: with ? behind it, still one"),
        (r"(?:malware|virus)", "it stops harmless texts"),
        (r"[^a]", "it stops nearly everything"),
        (r"\pC{4}", "no text can be made for it"),
    ],
)
def test_a_rule_that_does_not_do_its_work_is_found_out(pattern: str, why: str) -> None:
    guard = policy(lambda text: text["input"].append(rule(pattern)))
    assert "planted" in wrong(guarding.guard_tests(guard)), why


def test_a_rule_of_the_other_direction_is_tried_there() -> None:
    guard = policy(lambda text: text["output"].append(rule("NEVER", risk="output_handling")))
    (found,) = {(each.group, each.detector) for each in guarding.guard_tests(guard) if not each.right}
    assert found == ("guard output", "planted")


def test_a_kind_of_secret_that_is_never_found() -> None:
    kind = {"id": "planted", "starts": ["tok "], "alphabet": "D-Z", "least": 8}
    alone = policy(lambda text: text["secrets"].append(kind))
    assert wrong(list(redacting.secret_tests(alone))) == set()
    # An earlier kind takes the start and stops short: the rest of the secret stays in the text.
    first = {"id": "greedy", "starts": ["tok D"], "alphabet": "A-C", "least": 0}
    both = policy(lambda text: text["secrets"].extend([first, kind]))
    assert "planted" in wrong(list(redacting.secret_tests(both)))


def test_personal_data_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "redact_pii", lambda text: (text, ()))
    assert wrong(list(redacting.personal_tests())) == set(redacting.KINDS)
    monkeypatch.setattr(redacting, "redact_pii", lambda text: ("", ("email",)))
    assert wrong(list(redacting.personal_tests())) == set(redacting.KINDS)
    monkeypatch.undo()
    monkeypatch.setattr(redacting, "KINDS", (*redacting.KINDS, "passport"))
    assert wrong(list(redacting.personal_tests())) == {"passport"}


@pytest.mark.parametrize("result", [(90, 92, ("canary",)), (92, 92, ("canary",)), (0, 14, ("a", "b"))])
def test_the_red_team_s_failures_count(
    result: tuple[int, int, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.validate.redteam.detectors.self_test", lambda: result)
    guard = GuardPolicy.from_yaml((REPOSITORY / "configs" / "guard.yaml").read_bytes())
    judged = [each for each in self_tests(guard) if each.group == "red team"]
    assert len(judged) == result[1]
    assert sum(not each.right for each in judged) == max(result[1] - result[0], len(result[2]))


def test_evidence_names_what_failed() -> None:
    judged = [
        Judged("guard input", "a", True),
        Judged("guard input", "b", False),
        Judged("secrets", "c", True),
    ]
    item = self_test_evidence(judged, {"candidate": SOME})
    assert (item.value, item.n) == (pytest.approx(2 / 3), 3)
    assert item.slices["secrets"].value == 1.0
    assert item.method.endswith("; not shown: guard input b")
    with pytest.raises(ValueError, match="nothing to count"):
        self_test_evidence([], {"candidate": SOME})


def test_a_guard_that_was_emptied_is_found_out_although_its_own_rules_work() -> None:
    never = {"id": "nothing", "pattern": "zzzzqqqq never said by anybody"}
    guard = policy(
        lambda text: text.update(
            input=[{**never, "risk": "prompt_injection"}], output=[{**never, "risk": "output_handling"}]
        )
    )
    judged = guarding.guard_tests(guard)
    assert wrong(judged) == {"known attacks"}
    missed = {each.group for each in judged if not each.right}
    assert missed == {"guard input", "guard output"}
