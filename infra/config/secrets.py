"""Secrets are references (env:NAME, file:PATH, aws:NAME, prefect:BLOCK), resolved when used, never stored.

resolve("env:PAGER_URL")             # the value, or ConfigError
redact("token=abc123", ["abc123"])   # "token=[redacted]"
"""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.config.vaults import from_aws, from_prefect
from infra.errors import ConfigError

REDACTED = "[redacted]"
FORMS = "env:NAME, file:PATH, aws:NAME, aws:NAME#FIELD or prefect:BLOCK"
SCHEMES = ("env:", "file:", "aws:", "prefect:")
_resolved: set[str] = set()


def resolve(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret behind a reference.

    Raises ConfigError when it is absent, empty or readable by others, Unavailable when its service does not
    answer.
    """
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        value = environ.get(name, "")
    elif scheme == "file":
        value = _private_text(Path(name))
    elif scheme == "aws" and name:
        value = from_aws(name)
    elif scheme == "prefect" and name:
        value = from_prefect(name)
    else:
        # The value itself may have been pasted here by mistake, so it is not repeated.
        raise ConfigError("secret reference has an unknown form", hint=f"use {FORMS}, never the value")
    if not value.strip():
        raise ConfigError(f"secret {scheme}:{name} is empty or not set", hint="set it and run again")
    _resolved.add(value.strip())
    return value.strip()


def resolved_values() -> frozenset[str]:
    """Every secret that this process has resolved so far: what must not reach a log."""
    return frozenset(_resolved)


def _private_text(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"secret file {path} can be read by others", hint=f"chmod 600 {path}")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"secret file {path}: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError:  # its text would repeat bytes of the secret
        raise ConfigError(f"secret file {path} is not UTF-8 text", hint="check the path") from None


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of the values; the longest first, so that no tail of one stays behind."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text
