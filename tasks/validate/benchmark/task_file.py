"""A benchmark task as declared in YAML: where its rows lie, how they are asked, how answers are scored.

task = load_task(Path("configs/benchmarks/openbookqa.yaml"))     # ConfigError: file, line, nearest valid name
task.digest
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from infra.config.explain import explain
from infra.config.section import Name
from infra.config.source import read_yaml
from infra.digest import digest_json
from infra.errors import DataError
from infra.prompts.slots import has_stray_braces, slots
from tasks.records.record import Digest, Record
from tasks.validate.benchmark.text_scores import check_pattern

SCHEMA = "configs/schema/benchmark.schema.json"
_Text = Annotated[str, StringConstraints(min_length=1)]


class _Part(Record):
    model_config = ConfigDict(strict=True)


class TaskData(_Part):
    """Rows in one local file: JSON lines or CSV, beside the task file or inside an installed package."""

    file: _Text = Field(
        description="*.jsonl or *.csv: relative to the task file, or the path inside `package`"
    )
    package: str | None = Field(None, description="distribution that carries the file; it is never imported")
    licence: _Text = Field(description="licence or origin of the rows, as the report names it")
    digest: Digest | None = Field(None, description="of the file's bytes: another file is refused")
    rows: int | None = Field(None, ge=1, description="most rows, drawn with `seed`; none: all")
    max_characters: int | None = Field(
        None, ge=1, description="longer rows (prompt and choices) are left out before drawing"
    )
    seed: int = 0
    unusable: Literal["refuse", "leave_out"] = Field(
        "refuse",
        description="rows whose answer is no choice, or with doubles; at most 5 % left out",
    )

    @model_validator(mode="after")
    def _known_format(self) -> "TaskData":
        if not self.file.endswith((".jsonl", ".csv")):
            raise ValueError("file: expected *.jsonl or *.csv")
        return self


class Choice(_Part):
    """The likeliest of given answers."""

    field: str | None = Field(None, description="column with each row's own choices")
    labels: tuple[_Text, ...] | None = Field(None, strict=False, description="the same choices for every row")
    lettered: bool = Field(False, description="choices and answer are lines that begin with `A. `, `B. `, …")
    method: Literal["full_label", "first_token"] = Field(
        "full_label", description="first_token: only where all choices differ in it, refused otherwise"
    )
    per_character: bool = Field(
        False, description="log-likelihood divided by the choice's length, so that short ones win nothing"
    )

    @model_validator(mode="after")
    def _one_source(self) -> "Choice":
        if (self.field is None) == (self.labels is None):
            raise ValueError("expected either field or labels")
        if self.labels is not None and (len(self.labels) < 2 or len(set(self.labels)) < len(self.labels)):
            raise ValueError("labels: expected at least two, no doubles")
        if self.per_character and self.method == "first_token":
            raise ValueError(
                "per_character needs method full_label: a first token has no length to divide by"
            )
        return self


class Generation(_Part):
    """A free greedy answer, scored against the reference."""

    score: Literal["exact", "regex", "token_f1", "rouge_l"]
    max_new_tokens: int = Field(32, ge=1, le=1024)
    pattern: str | None = Field(
        None, description="regex: what a right answer holds; none: the reference is the pattern"
    )

    @model_validator(mode="after")
    def _pattern_fits(self) -> "Generation":
        if self.pattern is not None:
            if self.score != "regex":
                raise ValueError("pattern: only for score regex")
            try:
                check_pattern(self.pattern)
            except DataError as error:
                raise ValueError(error.message) from error
        return self


class Benchmark(_Part):
    """One task; exactly one of `choice` and `generation`."""

    name: Name
    description: _Text
    data: TaskData
    system: str | None = Field(
        None, description="given: the prompt is a user's turn in the chat template; none: raw text"
    )
    prompt: _Text = Field(description="what is asked; {{column}} is a column of the row")
    answer: _Text = Field(description="column with the right answer")
    choice: Choice | None = None
    generation: Generation | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Benchmark":
        if (self.choice is None) == (self.generation is None):
            raise ValueError("expected either choice or generation")
        if not slots(self.prompt) or has_stray_braces(self.prompt):
            raise ValueError("prompt: expected at least one {{column}} and no other template marks")
        if self.answer in slots(self.prompt):
            raise ValueError(f"prompt: shows the answer ({{{{{self.answer}}}}})")
        return self

    @cached_property
    def digest(self) -> str:
        """Digest of the task as it is applied, defaults included."""
        return digest_json(self.model_dump(mode="json"))


def load_task(file: Path) -> Benchmark:
    """The task in a YAML file; raises ConfigError naming file, line and the nearest valid name."""
    source = read_yaml(file)
    try:
        return Benchmark.model_validate(source.values)
    except ValidationError as error:
        raise explain(error, source, Benchmark, SCHEMA) from error


def benchmark_schema() -> dict[str, Any]:
    """JSON Schema of a task file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Benchmark.model_json_schema()}
