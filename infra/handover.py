"""Small records kept by key on disk: a phase's result for the next phase, a finished step's result.

shelf = Shelf(home / "handover")
shelf.put("triage-embedded/developed", developed)
shelf.get("triage-embedded/developed", Developed)     # None when absent; IntegrityError when altered
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from infra import atomic
from infra.digest import digest_json, hex_of
from infra.errors import IntegrityError

T = TypeVar("T", bound=BaseModel)


class Shelf:
    """Pydantic records in files, each with the digest of its content, written atomically."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, record: BaseModel) -> None:
        """Replace the record under `key`."""
        content = record.model_dump(mode="json")
        whole = {"digest": digest_json(content), "record": content}
        atomic.write_text(self._file(key), json.dumps(whole, indent=1, sort_keys=True) + "\n")

    def get(self, key: str, kind: type[T]) -> T | None:
        """The record under `key`, or None; raises IntegrityError when the file was altered."""
        file = self._file(key)
        try:
            whole = json.loads(file.read_text(encoding="utf-8"))
            content, digest = whole["record"], whole["digest"]
            if digest_json(content) != digest:
                raise IntegrityError(f"{file} was altered", hint=f"remove {file}; the step then runs again")
            return kind.model_validate(content)
        except FileNotFoundError:
            return None
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"{file} cannot be read: {error}", hint=f"remove {file}; the step runs again"
            ) from error

    def once(self, step: str, inputs: Mapping[str, object], kind: type[T], compute: Callable[[], T]) -> T:
        """The finished result of a step with exactly these inputs, or `compute()` kept for next time."""
        key = f"{step}/{hex_of(digest_json(dict(inputs)))}"
        known = self.get(key, kind)
        if known is None:
            known = compute()
            self.put(key, known)
        return known

    def remove(self, key: str) -> None:
        """Forget the record under `key`, if any."""
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self.root / f"{key}.json"
