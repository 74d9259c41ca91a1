"""Settings of the few-shot examples that may stand in the prompt."""

from pydantic import Field

from infra.config.section import Section


class ExampleSettings(Section):
    """Curated examples shown to the model before the question."""

    count: int = Field(0, ge=0, le=64, description="examples in the served prompt; 0: none")
