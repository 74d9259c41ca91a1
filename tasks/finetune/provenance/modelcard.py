"""The model card inside the ML-BOM: parameters, data, what is known of its quality, what it is not for."""

from typing import Any

from tasks.finetune.provenance.facts import Facts


def model_card(facts: Facts) -> dict[str, Any]:
    """CycloneDX 1.6 `modelCard`, with the figures that are known when training ends."""
    dataset = facts.developed.dataset
    return {
        "bom-ref": "model-card",
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "text classification",
            "architectureFamily": facts.family,
            "modelArchitecture": f"{facts.architecture} with a LoRA adapter",
            "datasets": [{"ref": f"dataset-{split}"} for split in sorted(dataset.splits)],
            "inputs": [{"format": "text"}],
            "outputs": [{"format": f"text: one of {len(dataset.labels)} labels"}],
        },
        "quantitativeAnalysis": {"performanceMetrics": _metrics(facts)},
        "considerations": _considerations(facts),
    }


def _metrics(facts: Facts) -> list[dict[str, str]]:
    """What training itself measured; the release's evidence, on test rows and with intervals, comes later."""
    adapter = facts.adapter
    found = [("training loss at the last step", adapter.final_loss, "train")]
    if adapter.validations:
        kept = adapter.best_step or adapter.validations[-1].step
        scored = next((v for v in adapter.validations if v.step == kept), adapter.validations[-1])
        found += [("accuracy", scored.accuracy, "validation"), ("loss", scored.loss, "validation")]
    return [{"type": kind, "value": f"{value:.6g}", "slice": rows} for kind, value, rows in found]


def _considerations(facts: Facts) -> dict[str, Any]:
    dataset, project = facts.developed.dataset, facts.project
    return {
        "users": ["Applications behind the gateway of this installation"],
        "useCases": [project.description or project.title],
        "technicalLimitations": [
            f"It knows {len(dataset.labels)} labels and answers with one of them, also where none fits.",
            f"It learned from {dataset.rows['train']} rows of {dataset.name}; other kinds of text are outside"
            " of what was measured.",
            "Quality, robustness and resistance to attacks are measured after this document is written:"
            " see gate-report.json and evidence.json of the release.",
        ],
        "ethicalConsiderations": [
            {
                "name": "A wrong label may be taken for a finding.",
                "mitigationStrategy": "A gate on measured accuracy; the answer is a proposal to a person.",
            }
        ],
    }
