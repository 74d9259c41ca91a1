"""How much of a tuned model's accuracy survives noise and injected instructions.

report = measure_robustness(LabelScorer(tuned, prompt.messages, labels), rows, settings, seed=0)
evidence = robustness_evidence(report, inputs)
"""

from tasks.finetune.robustness.evidence import robustness_evidence
from tasks.finetune.robustness.measure import measure_robustness

__all__ = ["measure_robustness", "robustness_evidence"]
