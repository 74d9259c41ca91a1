"""JSON Schema of attack corpora: `python -m tasks.validate.redteam.schema --check` or `--write`."""

from typing import Any

from pydantic import TypeAdapter

from infra.config.load import REPOSITORY
from infra.config.schema import main
from tasks.validate.redteam.corpus import AttackFile, BenignFile

SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "redteam.schema.json"


def corpus_schema() -> dict[str, Any]:
    """A file of attacks, or the one of harmless prompts; both closed."""
    schema = TypeAdapter(AttackFile | BenignFile).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    raise SystemExit(main(schema=corpus_schema, file=SCHEMA_FILE))
