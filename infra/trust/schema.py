"""JSON Schema of trust policies: `python -m infra.trust.schema --check` or `--write`."""

from typing import Any

from infra.config.load import REPOSITORY
from infra.config.schema import main
from infra.trust.policy import TrustPolicy

SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "trust.schema.json"


def trust_schema() -> dict[str, Any]:
    """Closed; every stage has to be there."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TrustPolicy.model_json_schema()}


if __name__ == "__main__":
    raise SystemExit(main(schema=trust_schema, file=SCHEMA_FILE))
