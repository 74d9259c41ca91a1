"""JSON Schema of benchmark task files: `python -m tasks.validate.benchmark.schema --check` or `--write`."""

from infra.config.load import REPOSITORY
from infra.config.schema import main
from tasks.validate.benchmark.task_file import SCHEMA, benchmark_schema

if __name__ == "__main__":
    raise SystemExit(main(schema=benchmark_schema, file=REPOSITORY / SCHEMA))
