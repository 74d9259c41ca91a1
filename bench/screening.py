"""Screening of training rows: what it finds of planted poison, and what it holds back of clean rows.

    python bench/screening.py [--seeds 3]

Real ATT&CK training rows, real embeddings, the project's settings. Each kind of poison is planted alone:
5 % flipped labels; 1 % of the rows with a single-token, multi-word or zero-width trigger and its label. The
peer is the enrichment screen of single words among rows that disagree with their ten neighbours.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from results import publish

from infra.config.load import load_project
from infra.config.project import Project
from infra.guard import GuardPolicy
from infra.models.embedding import embed
from infra.models.threads import wait_passively
from infra.store import FileStore
from tasks.develop.datasets import load_split, prepare_dataset
from tasks.finetune.screening.grams import shared_grams
from tasks.finetune.screening.neighbours import agreement, nearest
from tasks.finetune.screening.planting import FLIPS, TRIGGERS, Planted, plant
from tasks.finetune.screening.rows import row_id
from tasks.finetune.screening.screen import screen_rows
from tasks.finetune.screening.selftest import vectors_of
from tasks.records import Row
from tasks.records.screening import ScreeningReport, SuspicionKind


def training_rows(project: Project) -> tuple[list[Row], tuple[str, ...]]:
    """The main project's training rows, as data preparation divides them."""
    with tempfile.TemporaryDirectory() as directory:
        store = FileStore(Path(directory))
        dataset = prepare_dataset(project, store)
        return load_split(store, dataset, "train"), dataset.labels


def enriched(planted: Planted, vectors: np.ndarray, labels: tuple[str, ...]) -> set[int]:
    """The peer: words enriched among the 15 % most disagreeing rows (hypergeometric, Bonferroni 1e-6)."""
    from scipy.stats import hypergeom

    rows = planted.rows
    numbers = np.array([labels.index(row.label) for row in rows])
    agree = agreement(nearest(vectors, 10), numbers)
    worst = np.zeros(len(rows), dtype=bool)
    worst[np.argsort(agree, kind="stable")[: int(0.15 * len(rows))]] = True
    words = shared_grams([row.text for row in rows], longest=1, least=5)
    found: set[int] = set()
    for each in words:
        counts = np.bincount(numbers[each.rows])
        tail = hypergeom.sf(worst[each.rows].sum() - 1, len(rows), worst.sum(), len(each.rows))
        if counts.max() / len(each.rows) >= 0.8 and tail * len(words) <= 1e-6:
            found |= set(each.rows[numbers[each.rows] == counts.argmax()].tolist())
    return found


def listed(report: ScreeningReport) -> set[str]:
    return {each.row for each in report.suspicions if each.kind == SuspicionKind.FLIP}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    wait_passively()
    project = load_project()
    settings = project.screening
    guard = GuardPolicy.from_yaml(project.path(project.guard).read_bytes())
    rows, labels = training_rows(project)
    embed(["warm up"], threads=settings.threads)
    started = time.process_time()
    vectors = embed([row.text for row in rows], threads=settings.threads)
    embedding_s = time.process_time() - started
    started = time.process_time()
    clean = screen_rows(rows, vectors, settings, labels, guard)
    screening_s = time.process_time() - started
    held_by_trigger = [row for row, kinds in clean.held.items() if kinds - {SuspicionKind.FLIP}]
    figures: dict[str, object] = {
        "clean_rows": len(rows),
        "clean_held_by_triggers_share": round(len(held_by_trigger) / len(rows), 5),
        "clean_held_share": round(len(clean.held) / len(rows), 5),
        "clean_listed_for_review_share": round(len(listed(clean)) / len(rows), 4),
        "embedding_cpu_s": round(embedding_s, 2),
        "screening_cpu_s": round(screening_s, 2),
    }
    recalls: dict[str, list[float]] = {kind: [] for kind in (FLIPS, *TRIGGERS)}
    false: dict[str, list[float]] = {kind: [] for kind in (FLIPS, *TRIGGERS)}
    peers: dict[str, list[float]] = {kind: [] for kind in TRIGGERS}
    precisions: list[float] = []
    for seed in range(seeds):
        for kind in (FLIPS, *TRIGGERS):
            planted = plant(rows, labels, settings, seed=seed, kinds=(kind,))
            poisoned = vectors_of(
                planted, rows, vectors, lambda texts: embed(texts, threads=settings.threads)
            )
            report = screen_rows(planted.rows, poisoned, settings, labels, guard)
            touched = {row_id(planted.rows[at]) for at in planted.touched}
            found = listed(report) if kind == FLIPS else set(report.held)
            recalls[kind].append(len(found & touched) / len(touched))
            false[kind].append(len(set(report.held) - touched - set(clean.held)) / len(rows))
            if kind == FLIPS:
                precisions.append(len(found & touched) / len(found))
            else:
                hit = {row_id(planted.rows[at]) for at in enriched(planted, poisoned, labels)}
                peers[kind].append(len(hit & touched) / len(touched))
    for kind in (FLIPS, *TRIGGERS):
        name = kind.replace("-", "_")
        figures[f"{name}_recall"] = round(float(np.mean(recalls[kind])), 4)
        figures[f"{name}_recall_worst_seed"] = round(min(recalls[kind]), 4)
        figures[f"{name}_false_rows_share"] = round(float(np.mean(false[kind])), 5)
        if kind in peers:
            figures[f"{name}_recall_of_enrichment"] = round(float(np.mean(peers[kind])), 4)
    figures["flips_precision_of_review_list"] = round(float(np.mean(precisions)), 4)
    publish(
        "screening",
        figures,
        parameters={
            "seeds": seeds,
            "flips": settings.planted_flips,
            "triggers": settings.planted_triggers,
            "review_budget": settings.review_budget,
        },
    )


if __name__ == "__main__":
    main()
