"""Settings of the search for poisoned training rows."""

from pydantic import Field

from infra.config.section import Section


class ScreeningSettings(Section):
    """How training rows are screened before anything learns from them."""

    neighbours: int = Field(10, ge=1, description="nearest neighbours whose labels are compared")
