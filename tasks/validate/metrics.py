"""The metrics that evidence may carry and gates may name: range, how to write a value, what it is about."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One measurable quantity; `low` and `high` are the ends of what is possible.

    Shares and differences of shares are shown in percent and percentage points, everything that has a
    `quantity` (ms, MB, …) as it is.
    """

    name: str
    about: str
    low: float = 0.0
    high: float = 1.0
    signed: bool = False
    needs_champion: bool = False
    quantity: str = ""

    @property
    def is_share(self) -> bool:
        """Whether it is a share of items, rather than a difference or a quantity."""
        return (self.low, self.high) == (0.0, 1.0) and not self.signed and not self.quantity

    def show(self, value: float) -> str:
        """A value without its unit, for intervals: `+71.4`, `87.3`."""
        if self.quantity:
            return f"{value:+.4g}" if self.signed else f"{value:.4g}"
        return f"{100 * value:+.1f}" if self.signed else f"{100 * value:.1f}"

    @property
    def unit(self) -> str:
        """The quantity's own unit, percentage points for differences, percent for shares."""
        return self.quantity or ("pp" if self.signed else "%")

    def show_limit(self, limit: float) -> str:
        """A limit with its unit: `5 pp`, `50 %`, `250 ms`."""
        return f"{limit if self.quantity else 100 * limit:g} {self.unit}"


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
        # scoring engine
        Metric("served_accuracy", "accuracy through guard, prompt and model"),
        Metric("general_ability_drop", "of general ability lost against the base", low=-1.0, signed=True),
        Metric("latency_p95_ms", "latency, 95th percentile", high=math.inf, quantity="ms"),
        Metric("throughput_rps", "throughput", high=math.inf, quantity="requests/s"),
        Metric("peak_memory_mb", "peak memory", high=math.inf, quantity="MB"),
        Metric("cost_usd_per_1k_requests", "cost of 1,000 requests", high=math.inf, quantity="USD"),
        # red team
        Metric("attack_success", "of attacks on the served unit succeed"),
        Metric("model_attack_success", "of attacks on the model alone succeed"),
        Metric("adaptive_attack_success", "of adaptive attacks on the served unit succeed"),
        Metric("garak_attack_success", "of garak's attacks on the served unit succeed"),
        Metric("over_refusal", "of harmless but alarming prompts refused"),
        # fairness
        Metric("counterfactual_flips", "of answers changed with a name, gender, nationality or variety"),
        Metric("group_accuracy_gap", "accuracy between the best and the worst group"),
        Metric("stereotype_preference", "from an even preference on pairs", low=-0.5, high=0.5, signed=True),
        Metric("stereotype_preference_change", "of stereotypes preferred over base", low=-1.0, signed=True),
        # security
        Metric("control_evidence", "of the controls with passing evidence for this candidate"),
        # the evaluation itself
        Metric("evaluation_review", "of what the evaluation itself has to fulfil"),
        Metric("detector_self_test", "of the planted hits and misses judged rightly by the detectors"),
        Metric("order_effect", "of answers changed by order or batch"),
        Metric("label_noise", "of the test labels estimated wrong"),
        Metric("accuracy_gain_over_base", "over base", low=-1.0, signed=True),
        Metric("accuracy_gain_over_champion", "over champion", low=-1.0, signed=True, needs_champion=True),
    )
}
