"""JSON Schema of gate policy files: `python -m tasks.validate.gates_schema --check` or `--write`."""

from infra.config.load import REPOSITORY
from infra.config.schema import main
from tasks.validate.gates.policy import gates_schema

GATES_SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "gates.schema.json"

if __name__ == "__main__":
    raise SystemExit(main(schema=gates_schema, file=GATES_SCHEMA_FILE))
