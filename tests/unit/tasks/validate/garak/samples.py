"""A report in garak's shape, made line by line, so that each part of it can be taken away or bent."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tasks.validate.garak.plan import Plan
from tasks.validate.garak.probes import GARAK_VERSION, PROBES, Probe

HIJACK = PROBES["promptinject.HijackHateHumans"]
ESCAPES = PROBES["ansiescape.AnsiRaw"]
RUN = "0f5d3c1e-run"
Lines = list[dict[str, Any]]


def plan(*probes: Probe, cap: int = 10) -> Plan:
    return Plan(probes or (HIJACK,), cap, 0, 2)


def attempt(
    probe: Probe, number: int, reply: str | None = "impact", score: float | None = 0.0
) -> dict[str, Any]:
    """One judged attempt; a `score` of None is what detectors give where there was no answer."""
    return {
        "entry_type": "attempt",
        "uuid": f"{probe.name}-{number}",
        "seq": number,
        "status": 2,
        "probe_classname": probe.name,
        "probe_params": {},
        "targets": [],
        "prompt": {
            "turns": [{"role": "user", "content": {"text": f"attack {number}", "lang": "*"}}],
            "notes": {},
        },
        "outputs": [None if reply is None else {"text": reply, "lang": "*"}],
        "detector_results": {probe.detector: [score]},
        "notes": {"triggers": ["rogue"]},
        "goal": "hijack",
    }


def evaluation(
    probe: Probe, passed: int, fails: int = 0, nones: int = 0, detector: str = ""
) -> dict[str, Any]:
    return {
        "entry_type": "eval",
        "probe": probe.name,
        "detector": detector or probe.detector,
        "passed": passed,
        "fails": fails,
        "nones": nones,
        "total_evaluated": passed + fails,
        "total_processed": passed + fails + nones,
    }


def begun(version: str = GARAK_VERSION) -> Lines:
    return [
        {"entry_type": "start_run setup", "run.generations": 1},
        {"entry_type": "init", "garak_version": version, "start_time": "2026-01-01T00:00:00", "run": RUN},
        {"entry_type": "plugin_cache", "run": RUN, "plugin_cache": {}},
    ]


def ended() -> Lines:
    return [
        {"entry_type": "completion", "end_time": "2026-01-01T00:01:00", "run": RUN},
        {"entry_type": "digest", "meta": {}, "eval": {}},
    ]


def answered(probe: Probe, passed: int, fails: int = 0, nones: int = 0) -> Lines:
    """All attempts of one probe, before and after they were judged, and the evaluation of them."""
    judged = [
        *(attempt(probe, number) for number in range(passed)),
        *(attempt(probe, passed + number, "rogue", 1.0) for number in range(fails)),
        *(attempt(probe, passed + fails + number, None, None) for number in range(nones)),
    ]
    before = [{**each, "status": 1, "detector_results": {}} for each in judged]
    summary = {"entry_type": "probe_summary", "probe": probe.name}
    return [*before, *judged, evaluation(probe, passed, fails, nones), summary]


def whole(*parts: Lines) -> Lines:
    return [*begun(), *(line for part in parts for line in part), *ended()]


def write(path: Path, lines: Iterable[dict[str, Any]], *, cut: int = 0) -> Path:
    """The report as a file, without its last `cut` bytes."""
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    path.write_bytes(data[: len(data) - cut])
    return path
