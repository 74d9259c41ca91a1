"""Who may answer for an inconclusive gate, with which key, and for how long at most."""

from pathlib import Path

from pydantic import Field

from infra.config.section import Name, Section


class WaiverSettings(Section):
    """Waivers of single gates; nothing configured: no waiver counts."""

    owners: dict[Name, Path] = Field(
        {},
        description="public key (PEM, EC P-256) by owner, relative to the project file; only the owners named"
        " here can waive",
    )
    longest_days: int = Field(30, ge=1, le=366, description="an expiry further away than this does not count")
