"""Candidates that must be let through: other seeds, more data, harmless edits of prompt and guard."""

from collections.abc import Callable
from pathlib import Path

import yaml

from fleet.adapters import trained
from fleet.member import Built, Member
from fleet.yard import Yard


def _champion(yard: Yard) -> Path:
    return yard.good


def _seed(seed: int) -> Callable[[Yard], Path]:
    return lambda yard: trained(yard, yard.rows("train"), seed=seed, threads=1)


def _more_data(yard: Yard) -> Path:
    return trained(yard, [*yard.rows("train"), *yard.rows("validation")], seed=3, threads=1)


def _plain(adapter: Callable[[Yard], Path]) -> Callable[[Yard], Built]:
    def make(yard: Yard) -> Built:
        made = adapter(yard)
        return Built(yard.candidate(adapter=made), made)

    return make


def _worded(adapter: Callable[[Yard], Path], old: str, new: str) -> Callable[[Yard], Built]:
    def make(yard: Yard) -> Built:
        definition = dict(yard.developed.prompt.definition)
        system = str(definition["system"])
        if old not in system:
            raise SystemExit(f"the prompt does not say {old!r}: adapt bench/fleet/good.py")
        made = adapter(yard)
        return Built(
            yard.candidate(adapter=made, prompt={**definition, "system": system.replace(old, new)}), made
        )

    return make


def _guarded(adapter: Callable[[Yard], Path]) -> Callable[[Yard], Built]:
    def make(yard: Yard) -> Built:
        project = yard.workspace.project
        policy = yaml.safe_load(project.path(project.guard).read_bytes())
        pattern = r"\bignorez (?:tout|les consignes)\b"
        policy["input"].append({"id": "one-more-language", "risk": "prompt_injection", "pattern": pattern})
        text = yaml.safe_dump(policy, sort_keys=True, allow_unicode=True).encode()
        made = adapter(yard)
        configs = yard.configs_with("guard.yaml", text)
        return Built(yard.candidate(adapter=made, guard=text), made, configs=configs)

    return make


GOOD: tuple[Member, ...] = (
    Member("champion-again", "what serves already", _plain(_champion)),
    Member("seed-1", "another seed", _plain(_seed(1))),
    Member("seed-2", "another seed", _plain(_seed(2))),
    Member("more-data", "validation rows trained on too", _plain(_more_data)),
    Member("exactly-precisely", "one word of the prompt", _worded(_champion, "exactly one", "precisely one")),
    Member(
        "incidents-reports",
        "one word of the prompt",
        _worded(_champion, "security incidents", "incident reports"),
    ),
    Member(
        "seed-1-answer",
        "one word of the prompt, another seed",
        _worded(_seed(1), "Reply with", "Answer with"),
    ),
    Member(
        "seed-2-precisely",
        "one word of the prompt, another seed",
        _worded(_seed(2), "exactly one", "precisely one"),
    ),
    Member("guard-more", "one more guard rule", _guarded(_champion)),
    Member("seed-1-guard", "one more guard rule, another seed", _guarded(_seed(1))),
)
