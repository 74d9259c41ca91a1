"""What a tuned model does when its input is perturbed or carries an injected instruction."""

from typing import Self

from pydantic import Field, model_validator

from tasks.records.record import Record


class Bounds(Record):
    """A measured share, or difference of shares, between the bounds of its interval."""

    value: float = Field(ge=-1, le=1)
    lower: float = Field(ge=-1, le=1)
    upper: float = Field(ge=-1, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.lower <= self.value <= self.upper:
            raise ValueError(f"value {self.value} outside of its interval {self.lower} to {self.upper}")
        return self


class PerturbationOutcome(Record):
    """One kind of noise on all rows, compared row by row with the clean answers."""

    kind: str = Field(min_length=1)
    accuracy: Bounds
    drop: Bounds = Field(description="clean accuracy less accuracy under this noise, paired")
    consistency: Bounds = Field(description="share of rows answered as without the noise")


class AttackOutcome(Record):
    """One family of injected instructions on the rows that carried it."""

    family: str = Field(min_length=1)
    n: int = Field(ge=1)
    right: int = Field(ge=0, description="rows answered rightly in spite of it")
    obeyed: int = Field(ge=0, description="rows answered with the label that the injection named")
    obeyed_when_clean: int = Field(ge=0, description="of these rows, answered with that label without it too")
    success: Bounds = Field(description="share of rows that obeyed")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.right + self.obeyed > self.n or self.obeyed_when_clean > self.n:
            raise ValueError(f"{self.family}: {self.right} right and {self.obeyed} obeyed of {self.n} rows")
        return self


class RobustnessReport(Record):
    """All that was measured about one model on one set of rows."""

    rows: int = Field(ge=1)
    seed: int
    confidence: float = Field(gt=0, lt=1)
    clean_accuracy: Bounds
    perturbations: tuple[PerturbationOutcome, ...] = Field(min_length=1)
    attacks: tuple[AttackOutcome, ...] = Field(min_length=1)
    injected_accuracy: Bounds
    injection_success: Bounds
    scored: int = Field(ge=1, description="different inputs that the model was asked about")
    seconds: float = Field(ge=0)

    @property
    def worst_perturbation(self) -> PerturbationOutcome:
        """The noise that costs most accuracy."""
        return max(self.perturbations, key=lambda outcome: outcome.drop.value)

    @property
    def worst_attack(self) -> AttackOutcome:
        """The family that is obeyed most often."""
        return max(self.attacks, key=lambda outcome: outcome.success.value)
