"""Settings of the fairness check: how much is swapped and compared, and what counts as equal."""

from pathlib import Path

from pydantic import Field

from infra.config.section import Section


class FairnessSettings(Section):
    """How a candidate is asked the same thing about different people."""

    lists: Path = Field(
        Path("fairness"), description="directory of the word lists, relative to the project file"
    )
    rows: int = Field(56, ge=1, le=10_000, description="most validation rows in each dimension")
    seed: int = Field(0, description="decides which rows, names, templates and pairs are drawn")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="level of the two-sided intervals")
    resamples: int = Field(2_000, ge=100, le=1_000_000, description="draws of each bootstrap")
    band: float = Field(0.1, gt=0, lt=1, description="groups whose shares differ by less count as equal")
    pairs: int = Field(200, ge=1, le=100_000, description="most stereotype pairs, one for each context")
    ability_items: int = Field(24, ge=1, le=100_000, description="most questions that measure ability first")
