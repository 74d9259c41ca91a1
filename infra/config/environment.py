"""Settings of the environment in which training may run, and what is read from that environment.

force_offline()                          # names of variables now in force
found = secret_variables(is_secret)      # names only, never values
"""

import os
import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Literal

from pydantic import Field

from infra.config.section import Section
from infra.errors import ConfigError

OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
"""Read by huggingface_hub, transformers and datasets when they are imported."""
_YES, _NO = frozenset({"1", "on", "yes", "true"}), frozenset({"", "0", "off", "no", "false"})
# Whole words of a name: MAX_TOKENS, TOKENIZERS_PARALLELISM and SSH_AUTH_SOCK are none.
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|SECRETS|PASSWORD|PASSWD|PASSPHRASE|APIKEY|CREDENTIALS?"
    r"|(?:API|PRIVATE|ACCESS|SECRET|SIGNING|ENCRYPTION)_KEY|AUTH_STRING)(?:$|_(?!FILE$|PATH$|URL$|DIR$|TTL$))"
)
_NO_SECRET_VALUE = re.compile(r"[\d.,:_-]*|true|false|yes|no|on|off|none|null|[~./].*", re.IGNORECASE)
_URL_WITH_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@", re.IGNORECASE)


class EnvironmentSettings(Section):
    """What must be true before training begins."""

    allowed_secrets: tuple[str, ...] = Field(
        (
            "PREFECT_*",
            "MLFLOW_TRACKING_*",
            "CI_*",
            "ACTIONS_*",
            "VSCODE_*",
            "JUPYTER_*",
            "JPY_*",
        ),
        description="environment variables that may hold a secret while training runs; * stands for any text."
        " Those that the configuration refers to by env:NAME, and AWS_* with an s3:// store, are allowed too",
    )
    unnamed_secrets: Literal["refuse", "report"] = Field(
        "refuse", description="report: any other secret is listed in the attestation, and training goes on"
    )
    require_clean: bool = Field(
        False, description="true: code that differs from its git commit, or has none, does not train"
    )
    require_lock: bool = Field(
        False, description="true: without requirements.lock beside the code nothing is trained"
    )


def force_offline(environ: MutableMapping[str, str] = os.environ) -> tuple[str, ...]:
    """Set what keeps libraries off the network; raises ConfigError when a person set the contrary."""
    for name in OFFLINE_VARIABLES:
        value = environ.get(name)
        if value is not None and value.strip().lower() in _NO - {""}:
            raise ConfigError(
                f"{name}={value}: got online, expected offline", hint=f"unset {name} and run again"
            )
        if value is None or value.strip().lower() not in _YES:
            environ[name] = "1"
    return OFFLINE_VARIABLES


def secret_variables(
    is_secret: Callable[[str], bool], environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Names of the variables that hold a secret, by name or by value; values never leave this function."""
    return tuple(sorted(name for name, value in environ.items() if _holds_secret(name, value, is_secret)))


def git_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without what would point git at another repository (set inside of git hooks)."""
    return {name: value for name, value in environ.items() if not name.startswith("GIT_")}


def _holds_secret(name: str, value: str, is_secret: Callable[[str], bool]) -> bool:
    if is_secret(value) or _URL_WITH_PASSWORD.search(value):
        return True
    if name.startswith("ASSAY_"):  # settings, which hold references to secrets and never one
        return False
    return _SECRET_NAME.search(name.upper()) is not None and not _NO_SECRET_VALUE.fullmatch(value.strip())
