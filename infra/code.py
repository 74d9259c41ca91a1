"""The digest of source code: part of the key of every step, so that changed code runs again.

code_digest("tasks.finetune.training", "infra.models")
"""

from importlib.util import find_spec
from pathlib import Path

from infra.digest import digest_file, digest_json
from infra.errors import IntegrityError


def code_digest(*modules: str) -> str:
    """Digest over the names and bytes of all `.py` files of the modules and packages named."""
    files: dict[str, str] = {}
    for module in modules:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise IntegrityError(f"module {module} has no source to take a digest of")
        source = Path(spec.origin)
        found = sorted(source.parent.rglob("*.py")) if source.name == "__init__.py" else [source]
        for file in found:
            files[f"{module}/{file.relative_to(source.parent).as_posix()}"] = digest_file(file)
    return digest_json(files)
