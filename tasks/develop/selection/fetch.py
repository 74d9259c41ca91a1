"""A base model's files into a fresh directory: from an installed package, a local directory or the hub.

fetch_files("path:../models/mine", target, root=project.root, convert=convert_gguf)
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from infra import atomic
from infra.errors import ConfigError, DataError, Unavailable

Convert = Callable[[Path, Path], None]

_HUB = re.compile(r"(?P<id>[\w.-]+(?:/[\w.-]+)?)@(?P<commit>[0-9a-f]{40})")
# Only what a model needs; weights in any other format are not even fetched.
_HUB_PATTERNS = ["*.safetensors", "*.json", "*.jinja", "*.txt", "tokenizer.model", "LICENSE*", "NOTICE*"]
# Left behind by version control and download caches; no part of a model. Everything else is copied, so
# that the check of files sees it and can refuse it.
_BESIDE = {".git", ".gitattributes", ".gitignore", ".cache", "README.md"}


def fetch_files(source: str, target: Path, *, root: Path, convert: Convert) -> None:
    """Write a candidate's files to `target` (a new directory), unchecked.

    Raises ConfigError for a malformed source, DataError when there is no such model, Unavailable when the
    hub or the disk does not answer.
    """
    kind, _, name = source.partition(":")
    if not name or kind not in ("package", "path", "hub"):
        raise ConfigError(
            f"base source: got {source!r}", hint="package:<pypi name>, path:<directory> or hub:<id>@<commit>"
        )
    if kind == "package":
        from infra.models.convert import packaged_gguf

        parts = target.with_name(target.name + ".parts")
        convert(packaged_gguf(name, parts), target)
        shutil.rmtree(parts, ignore_errors=True)
    elif kind == "path":
        copy_directory(root / name, target)
    else:
        _download(name, target)


def copy_directory(source: Path, target: Path) -> None:
    """Copy a model directory without version control's files; raises DataError for links."""
    if not source.is_dir():
        raise DataError(f"{source}: no such directory", hint="path: starts at the project file's directory")
    with atomic.storage_errors(target):
        target.mkdir(parents=True)
        for entry in sorted(source.iterdir()):
            if entry.name in _BESIDE:
                continue
            if entry.is_symlink():
                raise DataError(
                    f"{entry}: symbolic links are refused", hint="copy the files themselves (cp -rL)"
                )
            if entry.is_dir():
                copy_directory(entry, target / entry.name)
            elif entry.is_file():
                shutil.copyfile(entry, target / entry.name)
            else:
                raise DataError(f"{entry}: not a regular file")


def _download(name: str, target: Path) -> None:
    parsed = _HUB.fullmatch(name)
    if parsed is None:
        raise ConfigError(
            f"base source: got 'hub:{name}', expected hub:<id>@<commit>",
            hint="a branch or tag can move: name the commit by its 40 hex digits",
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    download = target.with_name(target.name + ".download")
    try:
        snapshot_download(
            parsed["id"], revision=parsed["commit"], allow_patterns=_HUB_PATTERNS, local_dir=download
        )
    except RepositoryNotFoundError as error:
        raise DataError(
            f"hub: {name}: no such model, or no access to it", hint="check id, commit and token"
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise Unavailable(
            f"hub: {name}: cannot be fetched: {type(error).__name__}",
            hint="check the network, or use path: with files that you fetched",
        ) from error
    copy_directory(download, target)
