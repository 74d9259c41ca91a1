"""Whether a base's licence is acceptable, and whether its own files say the same as the configuration.

licence_refusal(candidate, ("Apache-2.0", "MIT"), root)      # "", or why not
"""

from collections.abc import Sequence
from pathlib import Path

from infra.config.base import BaseCandidate
from infra.errors import DataError

_MOST_CARD = 1 << 20
_UNSAID = ("", "other", "unknown")


def licence_refusal(candidate: BaseCandidate, allowed: Sequence[str], root: Path) -> str:
    """Why the licence is refused; empty when it is acceptable. Raises DataError as `declared_licence`."""
    # SPDX identifiers compare without case (SPDX specification, annex D).
    if candidate.licence.casefold() not in {licence.casefold() for licence in allowed}:
        return f"licence {candidate.licence} is not one of {', '.join(allowed) or 'none'}"
    declared = declared_licence(candidate.source, root)
    if declared.casefold() in _UNSAID or declared.casefold() == candidate.licence.casefold():
        return ""
    return f"its own file says that its licence is {declared}, the configuration says {candidate.licence}"


def declared_licence(source: str, root: Path) -> str:
    """What GGUF metadata or a model card says; empty when they say nothing or are not on this machine.

    Raises DataError when the file is malformed.
    """
    kind, _, name = source.partition(":")
    if kind == "package" and name:
        from infra.models.convert import NotInstalled, packaged_files
        from infra.models.gguf import gguf_text

        try:
            return gguf_text(packaged_files(name)[0], "general.license") or ""
        except NotInstalled:
            return ""
    if kind == "path" and name:
        return _card_licence(root / name / "README.md")
    return ""


def _card_licence(card: Path) -> str:
    """`license:` of the YAML block that model cards begin with."""
    import yaml

    if not card.is_file():
        return ""
    with card.open("rb") as stream:
        text = stream.read(_MOST_CARD).decode("utf-8", errors="replace")
    if not text.startswith("---\n"):
        return ""
    try:
        block = yaml.safe_load(text[4:].partition("\n---")[0])
    except yaml.YAMLError as error:
        raise DataError(f"{card.name}: its YAML block cannot be read", "correct the model card") from error
    licence = block.get("license") if isinstance(block, dict) else None
    return licence if isinstance(licence, str) else ""
