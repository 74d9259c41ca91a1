"""JSON Schema of fairness word lists: `python -m tasks.validate.fairness.schema --check` or `--write`."""

from typing import Any

from pydantic import TypeAdapter

from infra.config.load import REPOSITORY
from infra.config.schema import main
from tasks.validate.fairness.lists import Names, Pairs, Places, Varieties

SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "fairness.schema.json"


def lists_schema() -> dict[str, Any]:
    """Any of the four files: names, pairs of gender, places, ways of writing; all closed."""
    schema = TypeAdapter(Names | Pairs | Places | Varieties).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    raise SystemExit(main(schema=lists_schema, file=SCHEMA_FILE))
