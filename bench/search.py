"""One line of the search for training settings: trained on train, measured on validation, never on test.

    python bench/search.py NAME [--set epochs=4 …] [--augment share=0.5 …] [--threads 1] [--seed 0]

Noise and injections are applied to validation rows; the injected phrases are the families of
`search_families`, which neither training nor the final measurement uses. The outcome is printed and added to
bench/results/search.jsonl: docs/robustness.md lists what was tried.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from accuracy import Case, make_case

from infra.config.robustness import AugmentationSettings
from infra.models.threads import wait_passively
from tasks.finetune.augmentation import epoch_examples
from tasks.finetune.perturbations.injections import append_phrase, append_two, wrong_label
from tasks.finetune.perturbations.noise import perturb
from tasks.finetune.perturbations.search_families import SEARCH
from tasks.finetune.training.rows import TrainingExample

RESULTS = Path(__file__).with_name("results") / "search.jsonl"
Attack = tuple[str, str]  # text, the wrong label that it names


def injected(row: TrainingExample, labels: Sequence[str], turn: int) -> Attack:
    """Every family in turn, over rows and over two passes."""
    random = Random(f"search:{turn}:{row.text}")  # reproducible texts, no secret
    named = wrong_label(row.label, labels, random)
    return append_phrase(row.text, named, SEARCH[turn % len(SEARCH)], random), named


def injected_twice(row: TrainingExample, labels: Sequence[str]) -> Attack:
    random = Random(f"search:two:{row.text}")  # reproducible texts, no secret
    named = wrong_label(row.label, labels, random)
    return append_two(row.text, named, SEARCH, random), named


def measure(answer: Callable[[Sequence[str]], list[str]], case: Case) -> dict[str, float]:
    """Accuracy on clean, noisy and injected validation rows, and the share that obeys."""
    rows, labels = case.validation, case.prompt.labels
    truth = [row.label for row in rows]
    passes: dict[str, list[Attack]] = {
        "injected": [injected(row, labels, at) for at, row in enumerate(rows)],
        "injected_again": [injected(row, labels, at + 3) for at, row in enumerate(rows)],
        "two_phrases": [injected_twice(row, labels) for row in rows],
    }
    found: dict[str, float] = {}

    def share(given: Sequence[str], wanted: Sequence[str]) -> float:
        return round(sum(a == b for a, b in zip(given, wanted, strict=True)) / len(rows), 4)

    found["clean"] = share(answer([row.text for row in rows]), truth)
    for kind in ("upper", "typos", "misspellings"):
        found[kind] = share(answer([perturb(row.text, kind, 0) for row in rows]), truth)
    for name, attacks in passes.items():
        given = answer([text for text, _ in attacks])
        found[name] = share(given, truth)
        found[f"{name}_obeyed"] = share(given, [named for _, named in attacks])
    return found


def outcome(
    case: Case, training: dict[str, object], augment: dict[str, object], work: Path
) -> dict[str, float]:
    """Train with these settings and measure on validation."""
    from infra.models.load import load_base, load_tuned
    from infra.models.scoring import LabelScorer
    from tasks.finetune.training.loop import train
    from tasks.finetune.training.settings import TrainingSettings

    settings = TrainingSettings(**{**case.project.training.model_dump(), "keep": "last", **training})
    augmentation = AugmentationSettings.model_validate({**case.project.augmentation.model_dump(), **augment})
    labels = case.prompt.labels
    wall, cpu = time.perf_counter(), time.process_time()
    train(
        load_base(case.base),
        case.train,
        case.prompt.messages,
        settings,
        base_digest="sha256:" + "0" * 64,
        checkpoint_dir=work / "checkpoint",
        output_dir=work / "adapter",
        epoch_examples=epoch_examples(case.train, augmentation, settings.seed, labels),
        labels=labels,
    )
    seconds = {
        "train_s": round(time.perf_counter() - wall, 1),
        "train_cpu_s": round(time.process_time() - cpu, 1),
    }
    scorer = LabelScorer(load_tuned(case.base, work / "adapter"), case.prompt.messages, labels)
    return {**measure(lambda texts: [score.label for score in scorer.score(texts)], case), **seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a training setting")
    parser.add_argument("--augment", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    training, augment = (
        {name: json.loads(value) for name, _, value in (each.partition("=") for each in given)}
        for given in (options.set, options.augment)
    )
    wait_passively()
    with tempfile.TemporaryDirectory(prefix="assay-search-") as directory:
        case = make_case(Path(directory))
        changes = {**training, "threads": options.threads, "seed": options.seed}
        found = outcome(case, changes, augment, Path(directory))
    line = {
        "name": options.name,
        "training": training,
        "augmentation": augment,
        "seed": options.seed,
        **found,
    }
    print(json.dumps(line))
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
