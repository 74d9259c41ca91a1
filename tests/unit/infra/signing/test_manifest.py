"""The manifest is read strictly: one form, every field, every digest bound to its file."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.digest import canonical_json, digest_bytes
from infra.errors import IntegrityError
from infra.signing.manifest import parse_manifest
from tests.unit.infra.signing.conftest import World

OTHER = digest_bytes(b"other")

ALTERATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "unknown field": lambda d: d.update(more=1),
    "missing field": lambda d: d.pop("unit"),
    "unknown base field": lambda d: d["base"].update(more=1),
    "base no object": lambda d: d.update(base="tiny"),
    "format": lambda d: d.update(format="assay.release/v1"),
    "sequence 0": lambda d: d.update(sequence=0),
    "sequence true": lambda d: d.update(sequence=True),
    "sequence text": lambda d: d.update(sequence="1"),
    "unit": lambda d: d.update(unit="sha256:xyz"),
    "unit null": lambda d: d.update(unit=None),
    "project empty": lambda d: d.update(project=""),
    "created": lambda d: d.update(created="yesterday"),
    "created without zone": lambda d: d.update(created="2026-01-01T00:00:00"),
    "expires": lambda d: d.update(expires=5),
    "verdict": lambda d: d.update(verdict="inconclusive"),
    "no files": lambda d: d.update(files={}),
    "files list": lambda d: d.update(files=["a"]),
    "climbing name": lambda d: d["files"].update({"../x": OTHER}),
    "absolute name": lambda d: d["files"].update({"/etc/passwd": OTHER}),
    "backslash": lambda d: d["files"].update({"a\\b": OTHER}),
    "control character": lambda d: d["files"].update({"a\n": OTHER}),
    "own digest": lambda d: d["files"].update({"release.json": OTHER}),
    "file digest": lambda d: d["files"].update({"card.html": "x"}),
    "prompt not the file": lambda d: d.update(prompt=OTHER),
    "guard not the file": lambda d: d.update(guard=OTHER),
    "access not the file": lambda d: d.update(access=OTHER),
    "gate report not the file": lambda d: d.update(gate_report=OTHER),
    "trust not the file": lambda d: d.update(trust=OTHER),
    "name not NFC": lambda d: d["files"].update({"cafe\u0301": OTHER}),
    "git name": lambda d: d["files"].update({".github/x.yml": OTHER}),
    "names that differ by case": lambda d: d["files"].update({"CARD.html": OTHER}),
    "adapter not the files": lambda d: d.update(adapter=OTHER),
    "base not the files": lambda d: d["base"].update(digest=OTHER),
    "no adapter signature": lambda d: d["files"].pop("adapter.sig"),
    "requirements not the file": lambda d: d["files"].update({"requirements.json": OTHER}),
    "no guard": lambda d: d["files"].pop("guard/guard.yaml"),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_manifest_is_refused(world: World, name: str) -> None:
    document = json.loads(world.manifest.to_bytes())
    ALTERATIONS[name](document)
    with pytest.raises(IntegrityError):
        parse_manifest(canonical_json(document))


@pytest.mark.parametrize(
    "change", [lambda b: b + b"\n", lambda b: b.replace(b":", b": ", 1), lambda b: b[:-1]]
)
def test_only_the_canonical_bytes_are_a_manifest(world: World, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(IntegrityError):
        parse_manifest(change(world.manifest.to_bytes()))


def test_a_manifest_survives_its_bytes(world: World) -> None:
    assert parse_manifest(world.manifest.to_bytes()) == world.manifest
    assert world.manifest.digest == digest_bytes(world.manifest.to_bytes())
