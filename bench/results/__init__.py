"""Where every bench leaves its figures: printed as a table, and written to `bench/results/<name>.json`.

from results import publish
publish("training", {"ours_rows_per_cpu_s": 12.1, "ratio": 8.4}, parameters={"rows": 256})
"""

import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "trl",
    "lm-eval",
    "datasketch",
    "great-expectations",
    "rensa",
    "numpy",
    "boto3",
    "moto",
)


def publish(name: str, figures: Mapping[str, Any], *, parameters: Mapping[str, Any]) -> None:
    """Print the figures and replace the result file of this bench."""
    result = {
        "bench": name,
        "parameters": dict(parameters),
        "figures": dict(figures),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {package: version(package) for package in _PACKAGES},
    }
    target = Path(__file__).with_name(f"{name}.json")
    target.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    width = max(map(len, figures), default=0)
    for key, value in figures.items():
        print(f"{key:{width}}  {value if isinstance(value, str) else json.dumps(value)}")
    print(f"written to bench/results/{name}.json")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
