r"""One process of the backend `hf`: transformers' Trainer with peft on the same rows and the same layers.

python -m torch.distributed.run --nproc_per_node 2 --master_addr 127.0.0.1 \
    -m tasks.finetune.training.hf job.json

Tested with two CPU processes over gloo. GPUs (nccl), FSDP2 and NF4 are configured here and not tested.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from infra import atomic
from infra.errors import AssayError
from infra.models.load import load_base
from tasks.finetune.training import divergence, memory
from tasks.finetune.training import job as jobs
from tasks.finetune.training.batches import epoch_batches
from tasks.finetune.training.engine import first_trained
from tasks.finetune.training.job import Job, load_job
from tasks.finetune.training.optimiser import BETA_MEAN, BETA_SQUARE, EPSILON
from tasks.finetune.training.reference import IGNORED
from tasks.finetune.training.rows import EncodedRow, EncodedRows
from tasks.finetune.training.stopping import Evaluation, exhausted

_SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def main(path: Path) -> None:
    """Trains, and leaves adapter and result in the job's directory; an error of ours goes into its file."""
    job = load_job(path)
    try:
        with memory.explained(job.settings):
            run(job)
    except AssayError as error:
        told = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
        atomic.write_text(job.directory / jobs.ERROR, json.dumps(told))
        raise


def run(job: Job) -> None:
    """Raises Diverged and OutOfMemory."""
    torch.set_num_threads(job.settings.threads)
    model = adapted(job)
    trainer = OrderedTrainer(
        model=model,
        args=arguments(job),
        train_dataset=list(_in_order(job)),
        eval_dataset=[_item(job.validation, row) for row in job.validation.rows] if job.validation else None,
        data_collator=collate,
        compute_metrics=_accuracy if job.validation else None,
        preprocess_logits_for_metrics=_all_right if job.validation else None,
        callbacks=[Reporter(job)],
    )
    trainer.label_names = ["labels"]
    trainer.train(resume_from_checkpoint=str(job.resume) if job.resume else None)
    _leave(job, trainer)


class OrderedTrainer(Trainer):
    """Takes the rows in the order in which they come: the same order as our loop's."""

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        return SequentialSampler(rows)


class Reporter(TrainerCallback):
    """Tells the starting process of steps, watches the loss, and ends when nobody waits any more."""

    # transformers passes the arguments of its callbacks by these names.
    # ruff: noqa: ARG002

    def __init__(self, job: Job) -> None:
        self.job, self.agent = job, os.getppid()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if psutil.Process(self.agent).ppid() != self.job.starter:
            raise SystemExit("the process that started this training is gone")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        chosen = self.job.settings
        losses = _losses(state.log_history)
        if not logs or "loss" not in logs:
            return
        divergence.check(losses, chosen.divergence_factor, chosen.divergence_steps)
        per_epoch = -(-len(self.job.rows.epochs[0]) // chosen.batch_size)
        self._tell(
            state,
            "step",
            step=state.global_step,
            total_steps=state.max_steps,
            epoch=min((state.global_step - 1) // per_epoch + 1, chosen.epochs),
            loss=logs["loss"],
            learning_rate=logs.get("learning_rate", 0.0),
            grad_norm=logs.get("grad_norm", 0.0),
            rows_per_s=0.0,
        )

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        if metrics:
            chosen = self.job.settings
            if exhausted(_evaluations(state.log_history), chosen.metric, chosen.patience):
                control.should_training_stop = True
            values = {"accuracy": metrics["eval_accuracy"], "loss": metrics["eval_loss"]}
            self._tell(state, "evaluation", step=state.global_step, **values)

    def _tell(self, state: Any, kind: str, **values: Any) -> None:
        if state.is_world_process_zero:
            print(jobs.EVENT + json.dumps({"kind": kind, **values}), flush=True)


def adapted(job: Job) -> Any:
    """The base with peft's LoRA on the layers that are trained."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    chosen = job.settings
    model: Any
    if chosen.quantisation == "nf4":
        from transformers import AutoModelForCausalLM, BitsAndBytesConfig

        packed = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
        model = AutoModelForCausalLM.from_pretrained(
            str(job.base), quantization_config=packed, local_files_only=True, trust_remote_code=False
        )
        model = prepare_model_for_kbit_training(model)
    else:
        model = load_base(job.base, job.dtype).model
    depth = int(model.config.num_hidden_layers)
    torch.manual_seed(chosen.seed)  # decides every A
    config = LoraConfig(
        r=chosen.lora_r,
        lora_alpha=chosen.lora_alpha,
        target_modules=list(chosen.target_modules),
        layers_to_transform=list(range(first_trained(depth, chosen), depth)),
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def arguments(job: Job) -> TrainingArguments:
    """Our settings in transformers' words."""
    chosen, gpu = job.settings, torch.cuda.is_available()
    options: dict[str, Any] = {}
    every = chosen.checkpoint_every
    if job.validation:
        # The best checkpoint can only be found among those that were scored.
        every = chosen.validate_every or -(-len(job.rows.epochs[0]) // chosen.batch_size)
        options |= {
            "eval_strategy": "steps",
            "eval_steps": every,
            "load_best_model_at_end": chosen.keep == "best",
            "metric_for_best_model": f"eval_{chosen.metric}",
            "greater_is_better": chosen.metric == "accuracy",
            "per_device_eval_batch_size": max(1, chosen.batch_size // chosen.processes),
        }
    if chosen.sharding == "fsdp2":
        options |= {
            "fsdp": "full_shard auto_wrap",
            "fsdp_config": {"version": 2, "state_dict_type": "FULL_STATE_DICT"},
        }
    return TrainingArguments(
        output_dir=str(job.directory / jobs.CHECKPOINTS),
        use_cpu=not gpu,
        ddp_backend=("nccl" if gpu else "gloo") if chosen.processes > 1 else None,
        bf16=gpu,
        num_train_epochs=1,  # the rows of all epochs, one after another
        per_device_train_batch_size=chosen.batch_size // chosen.processes,
        learning_rate=chosen.learning_rate,
        lr_scheduler_type=_SCHEDULERS[chosen.schedule],
        warmup_steps=chosen.warmup_ratio,
        max_grad_norm=chosen.clip_norm,
        optim="adamw_torch",
        adam_beta1=BETA_MEAN,
        adam_beta2=BETA_SQUARE,
        adam_epsilon=EPSILON,
        weight_decay=0.0,
        seed=chosen.seed,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=gpu,
        **options,
    )


def collate(items: Sequence[dict[str, list[int]]]) -> dict[str, Tensor]:
    """Rows padded on the right."""
    width = max(len(item["input_ids"]) for item in items)
    fill = {"input_ids": 0, "attention_mask": 0, "labels": IGNORED}
    return {
        name: torch.tensor([item[name] + [value] * (width - len(item[name])) for item in items])
        for name, value in fill.items()
    }


def _in_order(job: Job) -> Iterator[dict[str, list[int]]]:
    """The rows of all epochs in the order in which our loop takes them."""
    rows, chosen = job.rows, job.settings
    for epoch in range(1, chosen.epochs + 1):
        places, lengths = rows.epoch(epoch), rows.lengths
        order = epoch_batches([lengths[row] for row in places], chosen.batch_size, chosen.seed, epoch)
        for batch in order:
            yield from (_item(rows, rows.rows[places[place]]) for place in batch)


def _item(rows: EncodedRows, row: EncodedRow) -> dict[str, list[int]]:
    prompt = [*rows.prefix, *row.inputs[: len(row.inputs) - len(row.targets) + 1]]
    ids = [*prompt, *row.targets]
    labels = [IGNORED] * len(prompt) + list(row.targets)
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def _all_right(logits: Any, labels: Tensor) -> Tensor:
    """Whether every token of an answer is the likeliest, by row [rows, 1]."""
    scores = logits[0] if isinstance(logits, tuple) else logits
    targets = labels[:, 1:]
    right = (scores[:, :-1].argmax(-1) == targets) | (targets == IGNORED)
    whole: Tensor = right.all(-1, keepdim=True).long()
    return whole


def _accuracy(prediction: Any) -> dict[str, float]:
    return {"accuracy": float(prediction.predictions.mean())}


def _losses(history: Sequence[dict[str, Any]]) -> list[float]:
    return [float(entry["loss"]) for entry in history if "loss" in entry]


def _evaluations(history: Sequence[dict[str, Any]]) -> list[Evaluation]:
    return [
        Evaluation(int(entry["step"]), float(entry["eval_accuracy"]), float(entry["eval_loss"]))
        for entry in history
        if "eval_loss" in entry
    ]


def _leave(job: Job, trainer: Trainer) -> None:
    """Writes tensors and result where the starting process looks for them."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save

    model = trainer.accelerator.unwrap_model(trainer.model)
    state = trainer.accelerator.get_state_dict(trainer.model)  # gathers what FSDP has spread: on all ranks
    if not trainer.is_world_process_zero():
        return
    lora = get_peft_model_state_dict(model, state_dict=state)
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in lora.items()}
    atomic.write_bytes(job.directory / jobs.TENSORS, save(tensors))
    history, steps = trainer.state.log_history, int(trainer.state.global_step)
    chosen, evaluations = job.settings, _evaluations(history)
    best = trainer.state.best_global_step if chosen.keep == "best" and evaluations else None
    result = {
        "steps": steps,
        "losses": _losses(history),
        "rows_seen": min(steps * chosen.batch_size, len(job.rows.epochs[0]) * chosen.epochs),
        "validations": [asdict(evaluation) for evaluation in evaluations],
        "best_step": best,
        "stopped_early": steps < int(trainer.state.max_steps),
    }
    atomic.write_text(job.directory / jobs.RESULT, json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
