"""One small training run as its own process, so that a test can kill it: base, output, pause per step."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from infra.models.threads import wait_passively
from tests.integration.finetune.samples import LABELS, TEXTS, render


def main(base: Path, output: Path, pause_s: float) -> None:
    assert wait_passively()
    from infra.models.load import load_base
    from tasks.finetune.training.loop import StepMetrics, train
    from tasks.finetune.training.rows import TrainingExample
    from tasks.finetune.training.settings import TrainingSettings

    def on_step(metrics: StepMetrics) -> None:
        print(metrics.step, flush=True)
        time.sleep(pause_s)

    examples = [TrainingExample(f"{text} {n}", LABELS[n % len(LABELS)]) for n, text in enumerate(TEXTS * 3)]
    settings = TrainingSettings(
        epochs=2, batch_size=4, lora_r=4, trained_layers=2, checkpoint_every=3, threads=2
    )
    result = train(
        load_base(base),
        examples,
        render,
        settings,
        base_digest="sha256:" + "0" * 64,
        checkpoint_dir=output / "checkpoint",
        output_dir=output / "adapter",
        on_step=on_step,
    )
    print("done", result.adapter_digest, result.resumed_from_step, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
