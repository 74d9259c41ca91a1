"""Settings of augmentation in training, and of the perturbations that measure robustness."""

from pydantic import Field, model_validator

from infra.config.section import Section

_WEIGHT = "weight among the perturbed rows: "


class AugmentationSettings(Section):
    """What training rows are turned into so that the model learns to ignore it."""

    share: float = Field(0.45, ge=0, le=1, description="share of the rows of an epoch that are perturbed")
    injection: float = Field(4.0, ge=0, le=1000, description=_WEIGHT + "an instruction that names any label")
    typos: float = Field(2.0, ge=0, le=1000, description=_WEIGHT + "8 % of the letters mistyped")
    misspellings: float = Field(1.0, ge=0, le=1000, description=_WEIGHT + "words spelt as they sound")
    case: float = Field(1.0, ge=0, le=1000, description=_WEIGHT + "capitals, small letters or both at random")
    homoglyphs: float = Field(
        0.0, ge=0, le=1000, description=_WEIGHT + "look-alikes; undone by normalisation"
    )
    zero_width: float = Field(0.0, ge=0, le=1000, description=_WEIGHT + "gaps; undone by normalisation")
    prefix: float = Field(0.3, ge=0, le=1, description="share of the injected phrases put in front of a text")
    second: float = Field(0.15, ge=0, le=1, description="share of the injected texts with a second phrase")

    @property
    def weights(self) -> dict[str, float]:
        """Weight by kind of perturbation."""
        kinds = ("injection", "typos", "misspellings", "case", "homoglyphs", "zero_width")
        return {kind: getattr(self, kind) for kind in kinds}

    @model_validator(mode="after")
    def _something_to_draw(self) -> "AugmentationSettings":
        if self.share > 0 and not any(self.weights.values()):
            raise ValueError("every weight is 0: set share to 0 for training without augmentation")
        return self


class RobustnessSettings(Section):
    """How a tuned model is measured under perturbation."""

    rows: int = Field(220, ge=1, description="most rows that perturbations and injections are measured on")
    confidence: float = Field(0.95, gt=0, lt=1, description="level of the two-sided intervals")
    resamples: int = Field(10_000, ge=100, le=1_000_000, description="draws of the paired bootstrap")
    seed: int = Field(0, description="decides which letters are hit and which phrase is injected")
