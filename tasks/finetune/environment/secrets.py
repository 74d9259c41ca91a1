"""Secrets in the environment that no policy names: what training has no use for, it should not hold.

allowed, unnamed = sort_secrets(found, allowed_patterns(project))
"""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from infra.config import Project
from infra.config.lookup import plain


def allowed_patterns(project: Project) -> tuple[str, ...]:
    """Names that the policy gives, those that the configuration refers to, and those of its store."""
    referred = sorted(set(_references(plain(project))))
    store = ("AWS_*",) if project.store.startswith("s3://") else ()
    return (*project.environment.allowed_secrets, *referred, *store)


def sort_secrets(found: Iterable[str], allowed: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of variables with a secret: those that are allowed, and those that nobody named."""
    names = sorted(found)
    named = [name for name in names if any(fnmatchcase(name, pattern) for pattern in allowed)]
    return tuple(named), tuple(name for name in names if name not in named)


def _references(value: object) -> Iterator[str]:
    """NAME of every `env:NAME` in the settings."""
    if isinstance(value, str) and value.startswith("env:"):
        yield value.removeprefix("env:")
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _references(inner)
