"""JSON Schema of files of approvers: `python -m infra.config.approvers_schema --check` or `--write`."""

from infra.config.approvers import approvers_schema
from infra.config.load import REPOSITORY
from infra.config.schema import main

APPROVERS_SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "approvers.schema.json"

if __name__ == "__main__":
    raise SystemExit(main(schema=approvers_schema, file=APPROVERS_SCHEMA_FILE))
