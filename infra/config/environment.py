"""Settings of the environment in which training may run."""

from infra.config.section import Section


class EnvironmentSettings(Section):
    """What must be true before training begins."""

    allowed_secrets: tuple[str, ...] = ()
