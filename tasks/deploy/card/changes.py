"""What changed since the champion: data, prompt line by line, configuration, dependencies, code.

changes = changes_since(champion.made_from, made_from)
html = changes_html(changes)
"""

import difflib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from infra.pages.page import table
from infra.pages.words import shortened, shown
from infra.prompts.lines import value_lines
from tasks.deploy.card.facts import MadeFrom
from tasks.records import Record

_MOST_LINES, _MOST_CHARACTERS, _MOST_PACKAGES = 160, 240, 60
_UNKNOWN = "not known"


class Change(Record):
    """One thing before and after; what is not known on one side is said to be so, and counts as changed."""

    part: str
    before: str
    after: str
    changed: bool


class DiffLine(Record):
    """One line of the prompt."""

    sign: Literal["+", "-", " ", "@"]
    text: str


class Changes(Record):
    """All of it; `since` is empty when there is no champion to compare with."""

    since: str = Field("", description="the champion's release")
    parts: tuple[Change, ...] = ()
    prompt: tuple[DiffLine, ...] = ()
    hidden_lines: int = 0
    packages: tuple[Change, ...] = ()
    hidden_packages: int = 0


def changes_since(release: str, before: MadeFrom, after: MadeFrom) -> Changes:
    """Pure; the same inputs give the same lines."""
    lines = _prompt_lines(before.prompt_definition, after.prompt_definition)
    packages = _packages(before, after)
    return Changes(
        since=release,
        parts=tuple(_parts(before, after)),
        prompt=tuple(lines[:_MOST_LINES]),
        hidden_lines=max(len(lines) - _MOST_LINES, 0),
        packages=tuple(packages[:_MOST_PACKAGES]),
        hidden_packages=max(len(packages) - _MOST_PACKAGES, 0),
    )


def _parts(before: MadeFrom, after: MadeFrom) -> list[Change]:
    pairs = (
        ("data", before.dataset, after.dataset),
        ("rows", _rows(before.rows), _rows(after.rows)),
        ("base model", f"{before.base} {before.base_digest}", f"{after.base} {after.base_digest}"),
        ("prompt", before.prompt, after.prompt),
        ("adapter", before.adapter, after.adapter),
        ("guard policy", before.guard, after.guard),
        ("access policy", before.access, after.access),
        ("configuration", before.config, after.config),
        ("training settings", before.training, after.training),
        ("security requirements", before.requirements, after.requirements),
        ("training code", before.code, after.code),
        ("code commit", _commit(before), _commit(after)),
        ("lock file", before.lock, after.lock),
        ("installed packages", before.packages, after.packages),
        ("Python", before.python, after.python),
    )
    return [_change(part, old, new) for part, old, new in pairs]


def _change(part: str, before: str | None, after: str | None) -> Change:
    old, new = before or _UNKNOWN, after or _UNKNOWN
    same = old == new and old != _UNKNOWN
    return Change(
        part=part,
        before=shortened(old, _MOST_CHARACTERS),
        after=shortened(new, _MOST_CHARACTERS),
        changed=not same,
    )


def _rows(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{rows[split]:,} {split}" for split in _split_order(rows))


def _split_order(rows: Mapping[str, int]) -> list[str]:
    usual = [split for split in ("train", "validation", "test") if split in rows]
    return usual + sorted(set(rows) - set(usual))


def _commit(made: MadeFrom) -> str:
    return f"{made.commit}{' and uncommitted changes' if made.dirty else ''}" if made.commit else ""


def _packages(before: MadeFrom, after: MadeFrom) -> list[Change]:
    names = sorted({*before.versions, *after.versions})
    changes = [
        _change(name, before.versions.get(name, "absent"), after.versions.get(name, "absent"))
        for name in names
    ]
    return [change for change in changes if change.changed]


def _prompt_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[DiffLine]:
    lines: list[DiffLine] = []
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            lines.append(DiffLine(sign="@", text=shortened(str(key), 80)))
            lines += _key_lines(value_lines(before.get(key)), value_lines(after.get(key)))
    return lines


def _key_lines(old: list[str], new: list[str]) -> list[DiffLine]:
    found = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
    signs: dict[str, Literal["+", "-", " "]] = {"+": "+", "-": "-", " ": " "}
    return [
        DiffLine(sign=signs[line[0]], text=shortened(line[1:], _MOST_CHARACTERS))
        for line in found
        if line[:1] in signs
    ]


def changes_html(changes: Changes) -> str:
    """Says so when there is no champion."""
    if not changes.since:
        return '<p class="missing">There is no champion: everything is new.</p>'
    different = [change for change in changes.parts if change.changed]
    same = [change.part for change in changes.parts if not change.changed]
    parts = [f'<p class="note">Since release <code>{shown(changes.since)}</code>.</p>']
    if different:
        parts.append(table(("part", "champion", "this candidate"), map(_line, different)))
    if same:
        parts.append(f"<p>The same: {shown(', '.join(same))}.</p>")
    parts.append(f"<h3>Prompt, line by line</h3>{_diff(changes)}")
    parts.append(f"<h3>Packages that take part in training</h3>{_package_table(changes)}")
    return "".join(parts)


def _line(change: Change) -> tuple[str, ...]:
    return shown(change.part), f"<code>{_brief(change.before)}</code>", f"<code>{_brief(change.after)}</code>"


def _brief(text: str) -> str:
    """Digests are told apart by their start; all digits are under the pointer and in card.json."""
    words = [
        f"{word[:19]}…" if word.startswith("sha256:") and len(word) == 71 else word
        for word in text.split(" ")
    ]
    return f'<span title="{shown(text)}">{shown(" ".join(words))}</span>'


def _diff(changes: Changes) -> str:
    if not changes.prompt:
        return "<p>No line of the prompt changed.</p>"
    lines = "".join(map(_diff_line, changes.prompt))
    more = f'<p class="note">{changes.hidden_lines:,} more lines.</p>' if changes.hidden_lines else ""
    return f'<div class="diff">{lines}</div>{more}'


def _diff_line(line: DiffLine) -> str:
    tag = {"+": "ins", "-": "del", " ": "span", "@": "b"}[line.sign]
    sign = "§" if line.sign == "@" else line.sign
    return f"<div><{tag}>{sign} {shown(line.text)}</{tag}></div>"


def _package_table(changes: Changes) -> str:
    if not changes.packages:
        return "<p>No version changed.</p>"
    more = f'<p class="note">{changes.hidden_packages:,} more.</p>' if changes.hidden_packages else ""
    return table(("package", "champion", "this candidate"), map(_line, changes.packages)) + more
