"""A small threat model that holds, and ways to load changes of it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from infra.config import Project
from tasks.develop.requirements import load_requirements
from tasks.records import SecurityRequirements
from tests.unit.tasks.finetune.provenance.samples import make_project

TODAY = date(2026, 11, 30)
GATES = {"accuracy-floor": "accuracy", "other-gate": "macro_accuracy"}
AWAY = (
    "prompt_injection",
    "sensitive_disclosure",
    "supply_chain",
    "output_handling",
    "excessive_agency",
    "system_prompt_leakage",
    "vector_embedding",
    "misinformation",
    "unbounded_consumption",
)
GOOD = """\
boundaries:
  - {key: outside, title: Outside}
  - {key: inside, title: Inside}
elements:
  - {key: source, title: Source, kind: store, boundary: outside}
  - {key: flow, title: Flow, kind: process, boundary: inside}
  - {key: disk, title: Disk, kind: store, boundary: inside}
assets:
  - {key: rows, title: Rows, sensitivity: high, held_by: [source, disk]}
flows:
  - {key: fetch, title: rows, source: source, target: flow, carries: [rows]}
  - {key: keep, title: rows, source: flow, target: disk, carries: [rows]}
threats:
  - key: poisoning
    title: Bad rows
    severity: high
    risk: poisoning
    atlas: [AML.T0020]
    stride: [T]
    affects: [fetch, rows]
    controls: [floor, least-rows, ledger]
controls:
  - {key: floor, title: Floor, gate: accuracy-floor, metric: accuracy}
  - {key: least-rows, title: Rows, setting: data.min_rows, in_force: {at_least: 50}}
  - key: ledger
    title: Chain
    always: infra/ledger.py::Ledger
    test: tests/unit/infra/test_ledger.py::test_chain_and_head
not_applicable:
""" + "".join(f"  - {{risk: {risk}, reason: None of it}}\n" for risk in AWAY)


def project_with(tmp_path: Path, content: str, **settings: object) -> Project:
    file = tmp_path / "threats.yaml"
    file.write_text(content, encoding="utf-8")
    return make_project(root=tmp_path, requirements=file, **settings)


def load(
    tmp_path: Path,
    content: str,
    today: date = TODAY,
    gates: Mapping[str, str] = GATES,
    **settings: object,
) -> SecurityRequirements:
    return load_requirements(project_with(tmp_path, content, **settings), gates, today=today)


def with_threat(*fields: str, severity: str = "high") -> str:
    """The good model and a second threat that nothing is done about."""
    threat = [
        "key: other",
        "title: Other",
        f"severity: {severity}",
        "stride: [S]",
        "affects: [keep]",
        *fields,
    ]
    return GOOD.replace("controls:\n  - {", f"  - {{{', '.join(threat)}}}\ncontrols:\n  - {{")
