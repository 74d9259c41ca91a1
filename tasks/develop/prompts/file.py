"""A prompt file: its schema, and what one reads from it.

configs/prompts/triage.yaml → PromptFile; its JSON Schema is configs/schema/prompt.schema.json.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictInt, StringConstraints

from tasks.records.record import Record

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Step = Literal["invisible", "confusables", "shouting"]


class SettingsEntry(Record):
    """How the model is asked to answer; validation measures the likeliest answer (temperature 0)."""

    model_config = ConfigDict(strict=True)

    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    max_new_tokens: int | None = Field(None, ge=1, le=32_768, description="most tokens of an answer")


class VariableEntry(Record):
    """One more slot; either `value` (fixed) or `default` (the caller may replace it)."""

    type: Literal["text", "integer", "choice", "list"] = "text"
    trust: Literal["trusted", "untrusted"] = Field(
        "trusted", description="untrusted: only in `user`, normalised and delimited"
    )
    value: str | StrictInt | tuple[str, ...] | None = None
    default: str | StrictInt | tuple[str, ...] | None = None
    choices: tuple[str, ...] = Field((), description="allowed values of type choice")
    max_characters: int = Field(2000, ge=1, description="longest rendered value")


class PromptFile(Record):
    """A prompt template as it is written, reviewed and kept in git."""

    name: Name
    system: str = Field(min_length=1, description="{{labels}} and {{canary}} may stand here, {{text}} never")
    user: str = Field(min_length=1, description="{{text}}, the text from outside, stands here exactly once")
    normalise: tuple[Step, ...] = Field((), description="applied to text from outside before it is rendered")
    settings: SettingsEntry = SettingsEntry()
    variables: dict[str, VariableEntry] = Field({}, description="slots besides labels, text and canary")
    delimiters: Annotated[tuple[str, ...], Field(max_length=2)] = Field(
        (), description="opening and closing mark around untrusted text in `user`; blanked out of values"
    )
    confidential: bool = Field(False, description="the system text must not be disclosed: needs {{canary}}")
    max_prompt_tokens: int = Field(
        512, ge=1, description="most tokens of the rendered prompt without the text; not part of the digest"
    )

    def definition(self) -> dict[str, Any]:
        """What is served: everything but the lint's own limit."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"max_prompt_tokens"})
