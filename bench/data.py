"""The whole preparation on a million synthetic rows: throughput and peak memory per stage.

    python bench/data.py [--rows 1000000] [--sample 50000]

Near duplicates are also found by datasketch (MinHashLSH, 128 permutations) on a sample of the same rows in
this run. Rates are per wall second and per CPU-second of the process; planted faults are counted.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from results import publish

from infra.config.data import DataSettings
from infra.config.load import load_project
from infra.handover import Shelf
from infra.store import FileStore
from tasks.develop.datasets import prepare_dataset
from tasks.develop.datasets.attack import read_attack
from tasks.records.data import StageReport

LABELS = tuple(f"label-{number}" for number in range(10))
FOREIGN = (
    "Die Schadsoftware verschlüsselt alle Dateien auf dem Rechner und verlangt ein Lösegeld von {}.",
    "Le logiciel malveillant chiffre tous les fichiers de l'ordinateur et demande une rançon à {}.",
    "El programa malicioso cifra todos los archivos del equipo y exige un rescate a {}.",
)
PERSONAL = ("write to {}@example.org", "call +49 30 1234567", "from 81.2.69.142", "card 4111 1111 1111 1111")
# Shares of the rows that are planted with a fault.
SHARES = {
    "duplicate": 0.02,
    "near": 0.04,
    "contradiction": 0.002,
    "personal": 0.01,
    "foreign": 0.005,
    "hidden": 0.005,
}


def write_rows(file: Path, count: int) -> None:
    """Sentences put together from fragments of ATT&CK sentences, one in twelve with a planted fault."""
    chance = random.Random(0)
    fragments = _fragments()
    faults = [name for name, share in SHARES.items() for _ in range(round(share * 1000))]
    earlier: list[tuple[str, str]] = []
    with file.open("w", encoding="utf-8") as out:
        for number in range(count):
            name = "".join(chance.choices("abcdefghiklmnoprstuvz", k=8)).capitalize()
            text = " ".join([name, *(chance.choice(fragments) for _ in range(3))]) + "."
            label, group = chance.choice(LABELS), f"actor-{chance.randrange(20_000)}"
            fault = chance.randrange(1000)
            if fault < len(faults) and earlier:
                text, label = _spoiled(faults[fault], text, label, chance.choice(earlier), name, chance)
            elif number % 10 == 0 and len(earlier) < 50_000:
                earlier.append((text, label))
            out.write(json.dumps({"text": text, "label": label, "actor": group}, ensure_ascii=False) + "\n")


def _fragments() -> list[str]:
    found = read_attack(DataSettings(source="attack-stix", licence="ATT&CK"))
    words = (re.findall(r"[\w'-]+", row.text) for row in found.rows)
    return [" ".join(row[start : start + 6]) for row in words for start in range(1, len(row) - 5, 6)]


def _spoiled(
    fault: str, text: str, label: str, other: tuple[str, str], name: str, chance: random.Random
) -> tuple[str, str]:
    if fault == "duplicate":
        return other[0].upper(), other[1]
    if fault == "contradiction":
        return other[0] + " ", "label-0" if other[1] != "label-0" else "label-1"
    if fault == "near":
        words = other[0].split()
        words[chance.randrange(len(words))] = name
        return " ".join(words), other[1]
    if fault == "personal":
        return f"{text} {chance.choice(PERSONAL).format(name.lower())}", label
    if fault == "foreign":
        return chance.choice(FOREIGN).format(name), label
    return text.replace(" ", " \u200b", 3), label


@dataclass
class Meter:
    """Wall and CPU seconds and peak memory since the last reading."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)
    readings: dict[str, dict[str, float]] = field(default_factory=dict)

    def read(self, name: str, rows: int) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.readings[name] = {
            "rows": rows,
            "rows_per_s": round(rows / (wall - self.wall)),
            "rows_per_cpu_s": round(rows / (cpu - self.cpu)),
            "peak_mb": round(_peak_mb()),
        }
        _reset_peak()
        self.wall, self.cpu = time.perf_counter(), time.process_time()


def _peak_mb() -> float:
    """Highest resident memory since the last reset (VmHWM), in 10⁶ bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6  # type: ignore[index]  # always there


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def prepare(file: Path, work: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Every stage and the quality check on the rows of `file`; figures, and what was dropped."""
    data = {
        "source": "jsonl", "path": str(file), "licence": "CC0-1.0", "group_column": "actor",
        "languages": ["en"], "split": {"test_per_label": 2000, "validation_per_label": 1000,
        "train_per_label": 1_000_000},
    }  # fmt: skip
    project = load_project(environ={"ASSAY_HOME": str(work / "home")})
    project = project.model_copy(update={"data": DataSettings.model_validate(data)})
    _reset_peak()
    meter = Meter()
    started, cpu = time.perf_counter(), time.process_time()

    def watch(report: StageReport) -> None:
        meter.read(report.name, report.rows_in)

    dataset = prepare_dataset(project, FileStore(work / "store"), Shelf(work / "shelf"), watch=watch)
    read = dataset.stages[0].rows_in
    meter.read("quality and storing", sum(dataset.rows.values()))
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    started = time.perf_counter()
    prepare_dataset(project, FileStore(work / "store"), Shelf(work / "shelf"))
    figures = {
        "rows": read,
        "rows_prepared": sum(dataset.rows.values()),
        "quality_passed": dataset.quality.passed,
        "seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "rows_per_s": round(read / wall),
        "rows_per_cpu_s": round(read / cpu),
        "peak_mb": max(one["peak_mb"] for one in meter.readings.values()),
        "again_unchanged_seconds": round(time.perf_counter() - started, 1),
    }
    changed = {reason: n for report in dataset.stages for reason, n in report.changed.items()}
    return figures | {f"stage {name}": one for name, one in meter.readings.items()}, dataset.dropped | changed


def compare(file: Path, sample: int) -> dict[str, float]:
    """Rows per CPU-second of finding near duplicates among the same rows, by us and by datasketch."""
    import pyarrow as pa

    from tasks.develop.datasets.near_duplicates import remove_near_duplicates
    from tasks.develop.datasets.tables import map_here

    with file.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(sample), strict=False)]
    texts = sorted(set(texts))
    table = pa.table({"text": texts})
    started = time.process_time()
    ours = remove_near_duplicates(table, map_here, threshold=0.6)
    seconds = time.process_time() - started
    started = time.process_time()
    theirs = _datasketch(texts)
    peer = time.process_time() - started
    return {
        "near_duplicates_sample_rows": len(texts),
        "near_duplicates_ours_rows_per_cpu_s": round(len(texts) / seconds),
        "near_duplicates_datasketch_rows_per_cpu_s": round(len(texts) / peer),
        "near_duplicates_ratio": round(peer / seconds, 1),
        "near_duplicates_ours_found": table.num_rows - ours.table.num_rows,
        "near_duplicates_datasketch_found": theirs,
    }


def _datasketch(texts: list[str]) -> int:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.6, num_perm=128)
    found = 0
    for number, text in enumerate(texts):
        words = re.findall(r"\w+", text.lower())
        sketch = MinHash(num_perm=128)
        sketch.update_batch([" ".join(words[n : n + 3]).encode() for n in range(max(len(words) - 2, 1))])
        if index.query(sketch):
            found += 1
        else:
            index.insert(number, sketch)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=50_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        write_rows(work / "rows.jsonl", arguments.rows)
        figures, counted = prepare(work / "rows.jsonl", work)
        figures |= compare(work / "rows.jsonl", arguments.sample)
    figures["dropped and changed"] = counted
    publish(
        "data", figures, parameters={"rows": arguments.rows, "sample": arguments.sample, "faults": SHARES}
    )


if __name__ == "__main__":
    main()
