"""A prompt comparison for people: a table for terminal and MLflow, and what is logged.

print(comparison_table(comparison)); log_comparison(run, comparison)
"""

from typing import TYPE_CHECKING

from tasks.records.prompt import PromptComparison

if TYPE_CHECKING:
    from infra.tracking import PhaseRun


def comparison_table(comparison: PromptComparison) -> str:
    """Accuracies, differences with intervals, and the outcome, as Markdown."""
    percent = 100 * (1 - comparison.alpha)
    lines = [
        f"{comparison.n} validation rows {comparison.rows[:19]}",
        "",
        f"| prompt | examples | tokens | accuracy | {percent:g} % interval |",
        "|---|---|---|---|---|",
    ]
    for each in comparison.scores:
        tokens = "" if each.prompt_tokens is None else str(each.prompt_tokens)
        lines.append(
            f"| {each.name} | {each.examples} | {tokens} | {each.accuracy:.3f}"
            f" | {each.lower:.3f} to {each.upper:.3f} |"
        )
    lines += ["", "| pair | difference | interval | p (Holm) | |", "|---|---|---|---|---|"]
    for pair in comparison.pairs:
        told = "separated" if pair.separated else "level"
        lines.append(
            f"| {pair.first} − {pair.second} | {pair.difference:+.3f}"
            f" | {pair.lower:+.3f} to {pair.upper:+.3f} | {pair.p_holm:.3g} | {told} |"
        )
    return "\n".join([*lines, "", comparison.reason])


def log_comparison(run: "PhaseRun", comparison: PromptComparison) -> None:
    """Table, record and accuracies on a run in MLflow; raises Unavailable."""
    run.text("prompt-comparison.md", comparison_table(comparison) + "\n")
    run.artifact("prompt-comparison.json", comparison.model_dump(mode="json"))
    run.dataset("validation", comparison.rows, "prompt comparison")
    run.params({"comparison.winner": comparison.winner, "comparison.alpha": comparison.alpha})
    run.metrics({f"prompt_accuracy.{each.name}": each.accuracy for each in comparison.scores})
