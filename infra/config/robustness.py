"""Settings of augmentation in training, and of the perturbations that measure robustness."""

from pydantic import Field

from infra.config.section import Section


class AugmentationSettings(Section):
    """What training rows are turned into so that the model learns to ignore it."""

    share: float = Field(0.0, ge=0, le=1, description="share of the rows of an epoch that are perturbed")


class RobustnessSettings(Section):
    """How a tuned model is measured under perturbation."""

    rows: int = Field(440, ge=1, description="most test rows a perturbation is measured on")
