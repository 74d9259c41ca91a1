"""Settings of the few-shot examples that may stand in the prompt."""

from typing import Self

from pydantic import Field, model_validator

from infra.config.section import Section


class ExampleSettings(Section):
    """Solved examples shown to the model before the question: chosen from training rows only."""

    count: int = Field(0, ge=0, le=64, description="examples in the served prompt; 0: none")
    candidates: int = Field(
        2, ge=1, le=16, description="examples curated for each label, served or not; ablations compare them"
    )
    min_characters: int = Field(20, ge=1, description="shorter texts are no examples")
    max_characters: int = Field(
        200, ge=1, le=4000, description="longer texts are no examples: each is paid for in every request"
    )
    shared_words: int = Field(
        8, ge=2, le=50, description="an example shares no run of so many words with a held-out row"
    )
    most_similar: float = Field(
        0.90, gt=0, le=1, description="highest cosine of an example's embedding with a held-out row"
    )
    ablation_rows: int = Field(
        220, ge=1, description="validation rows, balanced over labels, that show what each set brings"
    )
    ablation_per_label: tuple[int, ...] = Field(
        (0, 1, 2), description="sizes of the compared sets, in examples of each label"
    )

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.min_characters > self.max_characters:
            raise ValueError("examples: min_characters exceeds max_characters")
        if any(size < 0 or size > self.candidates for size in self.ablation_per_label):
            raise ValueError("examples.ablation_per_label: sizes are 0 to examples.candidates")
        if len(set(self.ablation_per_label)) != len(self.ablation_per_label):
            raise ValueError("examples.ablation_per_label: a size is listed twice")
        return self
