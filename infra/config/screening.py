"""Settings of the search for poisoned training rows."""

from pydantic import Field

from infra.config.section import Section


class ScreeningSettings(Section):
    """How training rows are screened before anything learns from them."""

    neighbours: int = Field(10, ge=3, le=50, description="nearest neighbours whose labels are compared")
    folds: int = Field(5, ge=2, le=20, description="parts of the out-of-fold classifiers")
    expected_flips: float = Field(0.05, gt=0, le=0.3, description="share of wrong labels to be prepared for")
    review_budget: float = Field(
        1.5, ge=1, le=5, description="rows listed for review, as a multiple of the expected flips"
    )
    flip_disagreement: float = Field(
        0.9, ge=0.5, le=1, description="held back: share of neighbours with another label, at least"
    )
    flip_own_probability: float = Field(
        0.03, gt=0, lt=0.5, description="held back: out-of-fold probability of the given label, at most"
    )
    flip_other_probability: float = Field(
        0.5, gt=0, lt=1, description="held back: out-of-fold probability of one other label, at least"
    )
    trigger_words: int = Field(4, ge=1, le=8, description="longest sequence of words that can be a trigger")
    trigger_rows: int = Field(5, ge=3, description="fewest rows that share a trigger")
    trigger_purity: float = Field(
        0.8, gt=0.5, le=1, description="share of a trigger's rows with one label, at least"
    )
    trigger_expected: float = Field(
        0.2, gt=0, lt=1, description="share of that label among neighbours without the words, at most"
    )
    trigger_error: float = Field(
        1e-6, gt=0, le=0.05, description="probability of any false trigger (Bonferroni over all sequences)"
    )
    flood_similarity: float = Field(
        0.95, gt=0.5, le=1, description="cosine from which two rows are nearly identical"
    )
    flood_rows: int = Field(
        12, ge=3, description="held back: nearly identical rows with one label, at least so many"
    )
    planted_flips: float = Field(0.05, gt=0, le=0.3, description="self-test: share of labels flipped")
    planted_triggers: float = Field(
        0.01, gt=0, le=0.1, description="self-test: share of rows with each kind of planted trigger"
    )
    least_trigger_recall: float = Field(
        0.9, ge=0, le=1, description="self-test: below this share of planted triggers nothing is proven"
    )
    least_flip_recall: float = Field(
        0.7,
        ge=0,
        le=1,
        description="self-test: below this share of flips on the review list nothing is proven",
    )
    seed: int = Field(0, ge=0, description="seed of the self-test")
    threads: int = Field(1, ge=1, description="processor threads of the embedding model")
