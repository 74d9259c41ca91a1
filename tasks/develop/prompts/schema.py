"""JSON Schema of prompt files: `python -m tasks.develop.prompts.schema --check` or `--write`."""

from typing import Any

from infra.config.load import REPOSITORY
from infra.config.schema import main
from tasks.develop.prompts.file import PromptFile

PROMPT_SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "prompt.schema.json"


def prompt_schema() -> dict[str, Any]:
    """JSON Schema of a prompt file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PromptFile.model_json_schema()}


if __name__ == "__main__":
    raise SystemExit(main(schema=prompt_schema, file=PROMPT_SCHEMA_FILE))
