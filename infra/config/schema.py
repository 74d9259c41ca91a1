"""JSON Schemas of configuration files: for editors, and checked for drift.

python -m infra.config.schema --check     # exit 2 when configs/schema/project.schema.json is out of date
python -m infra.config.schema --write
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra import atomic
from infra.config.load import REPOSITORY
from infra.config.project import Project
from infra.errors import AssayError, ConfigError

SCHEMA_FILE = REPOSITORY / "configs" / "schema" / "project.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def project_schema() -> dict[str, Any]:
    """JSON Schema of a project file; what the loader sets itself is not part of it."""
    schema = Project.model_json_schema()
    own = {name for name, field in Project.model_fields.items() if field.exclude}
    schema["properties"] = {k: v for k, v in schema["properties"].items() if k not in own}
    return {"$schema": _DIALECT, **schema}


def render(schema: dict[str, Any]) -> str:
    """The text of a schema file: the same for the same schema."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def check(file: Path, schema: dict[str, Any]) -> None:
    """Raises ConfigError when the file is absent or does not hold this schema."""
    if not file.is_file() or file.read_text(encoding="utf-8") != render(schema):
        raise ConfigError(f"{file}: does not match the code", hint="run the same command with --write")


def main(
    argv: Sequence[str] | None = None,
    schema: Callable[[], dict[str, Any]] = project_schema,
    file: Path = SCHEMA_FILE,
) -> int:
    """`--check` or `--write` one schema file; returns the exit code."""
    parser = argparse.ArgumentParser(description=f"JSON Schema in {file.name}")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="exit 2 when the file is out of date")
    what.add_argument("--write", action="store_true", help="write the file")
    try:
        if parser.parse_args(argv).write:
            atomic.write_text(file, render(schema()), mode=0o644)
        else:
            check(file, schema())
    except AssayError as error:
        sys.stderr.write(error.diagnostics() + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
