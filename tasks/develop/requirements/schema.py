"""JSON Schema of threat models: `python -m tasks.develop.requirements.schema --check` or `--write`."""

from typing import Any

from infra.config.load import REPOSITORY
from infra.config.schema import main
from tasks.develop.requirements.model import ThreatModel

SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "threat-model.schema.json"


def threat_model_schema() -> dict[str, Any]:
    """Closed, with the checked risks and techniques as choices; what refers to what is checked at load."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ThreatModel.model_json_schema()}


if __name__ == "__main__":
    raise SystemExit(main(schema=threat_model_schema, file=SCHEMA_FILE))
