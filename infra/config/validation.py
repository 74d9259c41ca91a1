"""Settings of the validation as a whole: how its checks are run, and how old their proofs may be."""

from pydantic import Field

from infra.config.section import Section


class ValidationSettings(Section):
    """What holds for every check of a candidate."""

    parallel_checks: int = Field(2, ge=1, le=64, description="checks that run at the same time")
    max_evidence_age: int = Field(
        365, ge=1, description="days; documents about an adapter that are older prove nothing any more"
    )
    order_rows: int = Field(
        128, ge=1, description="validation rows that are answered a second time, in another order and batch"
    )
