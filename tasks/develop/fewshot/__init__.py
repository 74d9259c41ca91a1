"""Few-shot examples: chosen from training rows, checked, versioned, and measured for what they bring.

examples = curate_examples(train, {"validation": validation, "test": test}, settings, labels, guard=guard)
report = ablate(loaded, template, examples, validation, settings, base_digest=base.digest)
"""

from tasks.develop.fewshot.ablation import ablate
from tasks.develop.fewshot.curate import curate_examples
from tasks.develop.fewshot.prompt import with_examples

__all__ = ["ablate", "curate_examples", "with_examples"]
