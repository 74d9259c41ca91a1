"""Settings of the red team's second tier: garak in an environment of its own, against the served unit."""

from pydantic import Field

from infra.config.section import Section

MOST_PROMPTS = 256
"""Of one probe: garak's own limit, up to which the prompts of each were counted."""


class GarakSettings(Section):
    """How much garak asks, and when it is stopped."""

    enabled: bool = Field(False, description="measure garak_attack_success when a candidate is validated")
    probes: tuple[str, ...] = Field((), description="names as garak has them; empty: all that are planned")
    prompts: int = Field(
        10, ge=1, le=MOST_PROMPTS, description="most prompts of one probe, where it heeds a limit"
    )
    parallel: int = Field(4, ge=1, le=64, description="requests under way at once")
    deadline_s: int = Field(1500, ge=1, le=3300, description="garak is killed after this time")
    most_memory_mb: int = Field(6000, ge=500, description="garak is killed when its processes use more")
    seed: int = Field(0, ge=0, description="decides which prompts of a probe are taken")
