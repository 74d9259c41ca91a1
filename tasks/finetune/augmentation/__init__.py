"""Training rows changed anew in every epoch, so that robustness is learnt and not only measured.

examples = epoch_examples(rows, settings, seed=0, labels=labels)
examples(1)     # as many TrainingExamples as rows, in the same order
"""

from tasks.finetune.augmentation.epochs import epoch_examples

__all__ = ["epoch_examples"]
