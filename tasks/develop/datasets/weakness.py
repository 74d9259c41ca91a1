"""CVE texts → weakness category, read from the installed package `cwe2` (MITRE CWE 4.14).

A row is an observed example of a weakness; its label is the category of view 699 (software development)
that the weakness, or else the nearest weakness above it, belongs to. Its group is the CVE.
"""

import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Iterator

from infra.config.data import DataSettings
from infra.errors import DataError
from infra.packages import one_file, package_notice, package_version
from tasks.develop.datasets.rows import PackagedRows, chosen_labels, identity, normalised, text_group
from tasks.records import Row

PACKAGE = "cwe2"
# Categories of view 699 with more than 50 examples of their own; the names start with different words.
CATEGORIES = {
    "1219": "file-handling",
    "137": "data-neutralization",
    "199": "information-management",
    "399": "resource-management",
    "1211": "authentication",
    "465": "pointer",
    "189": "numeric-errors",
}
_NS = {"cwe": "http://cwe.mitre.org/cwe-7"}
_HIERARCHIES = ("699", "1000")


def read_weaknesses(data: DataSettings) -> PackagedRows:
    """Every example with exactly one category; raises DataError when the package is absent or odd."""
    labels = chosen_labels(data.labels, tuple(CATEGORIES.values()), data.source)
    file = one_file(PACKAGE, "cwe2/database_*/cwec_v*.xml")
    try:
        root = ElementTree.parse(file).getroot()  # noqa: S314  # from a package pinned by hash
    except (OSError, ElementTree.ParseError) as error:
        raise DataError(
            f"{PACKAGE}: {file.name} cannot be read: {error}", hint="install the locked version"
        ) from error
    catalogue = _Catalogue(root)
    texts: dict[str, str] = {}
    groups: dict[str, str] = {}
    categories = defaultdict[str, set[str]](set)
    for weakness, cve, text in catalogue.examples():
        key = identity(text)
        texts.setdefault(key, text)
        categories[key] |= catalogue.categories(weakness)
        groups[key] = min(cve or text_group(text), groups.get(key, "~"))
    rows: list[Row] = []
    dropped: Counter[str] = Counter()
    for key, text in texts.items():
        found = categories[key]
        label = CATEGORIES.get(min(found, default=""), "")
        if len(found) != 1:
            dropped["several categories" if found else "no category"] += 1
        elif label not in labels:
            dropped["label not asked for"] += 1
        else:
            rows.append(Row(text=text, label=label, group=groups[key]))
    source = f"package {PACKAGE} {package_version(PACKAGE)}, CWE {root.get('Version')}, observed examples"
    designation = one_file(PACKAGE, "cwe2/database_*/cwe.NOTICE").read_text(encoding="utf-8").strip()
    notice = f"{designation}\n\n{package_notice(PACKAGE, 'cwe-tou.LICENSE')}"
    return PackagedRows(rows, dict(dropped), notice, source, labels)


class _Catalogue:
    """The parts of a CWE catalogue that say which category a weakness belongs to."""

    def __init__(self, root: ElementTree.Element) -> None:
        self.weaknesses = root.findall("cwe:Weaknesses/cwe:Weakness", _NS)
        view = root.find("cwe:Views/cwe:View[@ID='699']/cwe:Members", _NS)
        if not self.weaknesses or view is None:
            raise DataError(f"{PACKAGE}: no weaknesses or no view 699", hint="install the locked version")
        members = {member.get("CWE_ID") for member in view.findall("cwe:Has_Member", _NS)}
        self.direct = defaultdict[str, set[str]](set)
        for category in root.findall("cwe:Categories/cwe:Category", _NS):
            if category.get("ID") in members:
                for member in category.findall("cwe:Relationships/cwe:Has_Member", _NS):
                    self.direct[member.get("CWE_ID", "")].add(category.get("ID", ""))
        self.parents = defaultdict[str, set[str]](set)
        for weakness in self.weaknesses:
            for related in weakness.findall("cwe:Related_Weaknesses/cwe:Related_Weakness", _NS):
                if related.get("Nature") == "ChildOf" and related.get("View_ID") in _HIERARCHIES:
                    self.parents[weakness.get("ID", "")].add(related.get("CWE_ID", ""))

    def examples(self) -> Iterator[tuple[str, str, str]]:
        """(weakness, CVE or empty, text) of every observed example."""
        for weakness in self.weaknesses:
            for example in weakness.findall("cwe:Observed_Examples/cwe:Observed_Example", _NS):
                text = normalised("".join(example.find("cwe:Description", _NS).itertext()))  # type: ignore[union-attr]  # required by the CWE schema
                if text:
                    yield weakness.get("ID", ""), example.findtext("cwe:Reference", "", _NS).strip(), text

    def categories(self, weakness: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """Its own categories, or else those of the nearest weaknesses above it."""
        if weakness in self.direct:
            return self.direct[weakness]
        above = self.parents.get(weakness, set()) - seen
        return set().union(*(self.categories(parent, seen | {weakness}) for parent in above))
