"""Jailbreak templates of an installed package, read as data: its code is never imported.

corpora = with_packages(load_corpora(directory), settings)       # corpora.licences["pyrit"]
"""

import re
from dataclasses import replace
from importlib import metadata

import yaml

from infra.config.redteam import RedTeamSettings
from tasks.validate.redteam.corpus import Attack, Corpora, Planned
from tasks.validate.redteam.seeds import stream

_PROMPT = re.compile(r"\{\{\s*prompt\s*\}\}")
_RAW = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")  # marks of the template language, no words of the attack
_FOLDER = "pyrit/datasets/jailbreak/templates/"
_SLOT_LIKE = re.compile(r"\{([a-z]+)\}")
_NAME = re.compile(r"[^a-z0-9]+")


def with_packages(corpora: Corpora, settings: RedTeamSettings) -> Corpora:
    """The corpora and what installed packages bring, with origin and licence; what is missing is named."""
    templates, origin, missing = pyrit_templates(
        settings.templates, settings.template_chars, seed=settings.seed
    )
    return replace(
        corpora,
        attacks=(*corpora.attacks, *templates),
        licences={**corpora.licences, **({"pyrit": origin} if origin else {})},
        skipped=(*corpora.skipped, *([missing] if missing else [])),
    )


def pyrit_templates(count: int, most_chars: int, *, seed: int) -> tuple[tuple[Planned, ...], str, str]:
    """`count` templates chosen by seed, where they come from, and why there are none.

    Each asks for {goal} at the place where the template takes a request. One of the last two is empty.
    """
    if count == 0:
        return (), "", "pyrit: redteam.templates is 0"
    try:
        distribution = metadata.distribution("pyrit")
    except metadata.PackageNotFoundError:
        return (), "", "pyrit: not installed, brought by the extra `corpora`"
    files = sorted(
        (
            file
            for file in distribution.files or ()
            if str(file).startswith(_FOLDER) and file.suffix == ".yaml"
        ),
        key=str,
    )
    usable = []
    for file in files:
        value = _template(str(file.locate()))
        if value is not None and len(value) <= most_chars:
            usable.append((str(file).removeprefix(_FOLDER), value))
    if not usable:
        return (), "", f"pyrit {distribution.version}: no usable template among {len(files)} files"
    chosen = stream(seed, "pyrit").sample(usable, min(count, len(usable)))
    fields = distribution.metadata
    licence = fields["License-Expression"] or fields["License"] or "licence unknown"
    origin = (
        f"{licence}: pyrit {distribution.version}, {len(chosen)} of {len(usable)} templates up to"
        f" {most_chars} characters ({len(files)} in all)"
    )
    return tuple(_planned(name, value) for name, value in chosen), origin, ""


def _template(path: str) -> str | None:
    """The text of a template whose only parameter is the request; None for any other file."""
    try:
        with open(path, encoding="utf-8") as stream:
            content = yaml.safe_load(stream)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None
    if not isinstance(content, dict) or list(content.get("parameters") or ()) != ["prompt"]:
        return None
    value = content.get("value")
    return value if isinstance(value, str) and _PROMPT.search(value) else None


def _planned(name: str, value: str) -> Planned:
    # Braces of the template's own must not pass for slots of ours.
    text = _PROMPT.sub("answer {goal}.", _SLOT_LIKE.sub(r"[\1]", _RAW.sub("", value)))
    identity = _NAME.sub("-", name.removesuffix(".yaml").lower()).strip("-")[:60]
    return Planned(Attack(id=identity, text=text), "jailbreak-templates", "prompt_injection", "obey")
