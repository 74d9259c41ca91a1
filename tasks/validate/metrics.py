"""The metrics that evidence may carry and gates may name: range, how to write a value, what it is about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One measurable quantity; `low` and `high` are the ends of what is possible."""

    name: str
    about: str
    low: float = 0.0
    high: float = 1.0
    signed: bool = False
    needs_champion: bool = False

    def show(self, value: float) -> str:
        """A value without its unit, for intervals: `+71.4`, `87.3`."""
        return f"{100 * value:+.1f}" if self.signed else f"{100 * value:.1f}"

    @property
    def unit(self) -> str:
        """Percentage points for differences, percent for shares."""
        return "pp" if self.signed else "%"

    def show_limit(self, limit: float) -> str:
        """A limit with its unit: `5 pp`, `50 %`."""
        return f"{100 * limit:g} {self.unit}"


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy"),
        Metric("macro_accuracy", "mean accuracy over labels"),
        Metric("base_accuracy", "accuracy of the base"),
        Metric("champion_accuracy", "accuracy of the champion", needs_champion=True),
        Metric("quality_violations", "of the rows against an expectation"),
        Metric("contamination", "of the evaluation rows seen in training"),
        Metric("suspected_poison", "of the training rows suspected and undecided"),
        Metric("screening_trigger_recall", "of planted triggers found"),
        Metric("screening_flip_recall", "of planted label flips listed"),
        Metric("screening_false_rows", "of untouched rows held back by the screen"),
        Metric("injected_accuracy", "accuracy under injected instructions"),
        Metric("injection_attack_success", "of injected instructions obeyed"),
        Metric("answer_consistency", "of the answers unchanged by noise"),
        Metric("perturbed_accuracy_drop", "lost to noise", low=-1.0, signed=True),
        Metric("accuracy_gain_over_base", "over base", low=-1.0, signed=True),
        Metric("accuracy_gain_over_champion", "over champion", low=-1.0, signed=True, needs_champion=True),
    )
}
