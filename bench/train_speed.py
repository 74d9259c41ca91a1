"""Training speed: our loop against transformers' Trainer with peft, same base, rows, rank, batch, in one run.

    python bench/train_speed.py [--rows 128]

Needs an installation in which develop has run. Prints rows per CPU-second and the ratio.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from infra.workspace import Workspace, open_workspace
from tasks.develop.datasets import load_split
from tasks.finetune.steps import take_developed
from tasks.records import Developed


def ours(workspace: Workspace, developed: Developed, rows: list[Any], batch: int) -> float:
    from infra.models.load import load_base
    from infra.prompts import PromptTemplate
    from tasks.finetune.training.loop import train
    from tasks.finetune.training.rows import TrainingExample
    from tasks.finetune.training.settings import TrainingSettings

    prompt = developed.prompt
    template = PromptTemplate(prompt.name, prompt.system, prompt.user, prompt.labels)
    loaded = load_base(workspace.store.open_tree(developed.base.digest))
    values = workspace.project.training.model_dump()
    settings = TrainingSettings(**{**values, "epochs": 1, "batch_size": batch, "threads": 1})
    with tempfile.TemporaryDirectory() as work:
        started = time.process_time()
        train(
            loaded,
            [TrainingExample(row.text, row.label) for row in rows],
            template.messages,
            settings,
            base_digest=developed.base.digest,
            checkpoint_dir=Path(work) / "checkpoint",
            output_dir=Path(work) / "adapter",
        )
        return len(rows) / (time.process_time() - started)


def peer(workspace: Workspace, developed: Developed, rows: list[Any], batch: int) -> float:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

    from infra.models.chat import encode_answer, encode_chat
    from infra.models.load import load_base
    from infra.prompts import PromptTemplate

    prompt = developed.prompt
    template = PromptTemplate(prompt.name, prompt.system, prompt.user, prompt.labels)
    loaded = load_base(workspace.store.open_tree(developed.base.digest))
    settings = workspace.project.training
    config = LoraConfig(
        r=settings.lora_r, lora_alpha=settings.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    encoded = []
    for row in rows:
        ids = encode_chat(loaded.tokenizer, template.messages(row.text))
        answer = encode_answer(loaded.tokenizer, row.label)
        encoded.append({"input_ids": ids + answer, "labels": [-100] * len(ids) + answer})
    with tempfile.TemporaryDirectory() as work:
        arguments = TrainingArguments(
            output_dir=work,
            per_device_train_batch_size=batch,
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
            train_dataset=encoded,  # type: ignore[arg-type]  # any sequence works
            data_collator=DataCollatorForSeq2Seq(loaded.tokenizer),
        )
        torch.set_num_threads(1)
        started = time.process_time()
        trainer.train()
        return len(rows) / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    workspace = open_workspace()
    developed = take_developed.fn(workspace)  # type: ignore[attr-defined]  # the function inside the task
    rows = load_split(workspace.store, developed.dataset, "train")[: arguments.rows]
    fast, plain = (
        ours(workspace, developed, rows, arguments.batch),
        peer(workspace, developed, rows, arguments.batch),
    )
    figures = {"ours_rows_per_cpu_s": fast, "trainer_rows_per_cpu_s": plain, "ratio": fast / plain}
    print(json.dumps({key: round(value, 2) for key, value in figures.items()}))


if __name__ == "__main__":
    main()
