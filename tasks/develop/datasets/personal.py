"""Stage "pii": personal data become placeholders, or their rows go, or are only counted.

stage = personal_stage(project.data)
personal_chunk(table, action="redact", names=None, max_characters=2000)

Patterns always look; with `data.pii_engine: presidio` names and places are looked for besides.
"""

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Literal

from infra.config.data import DataSettings
from infra.digest import digest_bytes
from infra.guard.pii import MAYBE, Pii, find_pii, replace
from tasks.develop.datasets.names import find_names, names_engine
from tasks.develop.datasets.normalise import each_chunk, without
from tasks.develop.datasets.stages import Outcome, Settings, Stage

if TYPE_CHECKING:
    import pyarrow as pa

Action = Literal["redact", "drop", "flag"]
_DONE = {"redact": "redacted", "drop": "dropped", "flag": "found"}


def personal_stage(data: DataSettings) -> Stage:
    """Personal data in texts and in group names, by `data.pii_action`; raises as `names_engine`."""
    model = data.pii_model if data.pii_engine == "presidio" else None
    work = partial(personal_chunk, action=data.pii_action, names=model, max_characters=data.max_characters)
    # What a model finds depends on its version: another one is another stage.
    settings: Settings = {
        "action": data.pii_action,
        "engine": data.pii_engine,
        "max_characters": data.max_characters,
        **({"versions": dict(names_engine(model))} if model else {}),
    }
    modules = tuple(f"tasks.develop.datasets.{name}" for name in ("personal", "names", "normalise"))
    return Stage("pii", settings, (*modules, "infra.guard.pii"), partial(each_chunk, work))


def personal_chunk(table: "pa.Table", *, action: Action, names: str | None, max_characters: int) -> Outcome:
    """The chunk after `action`; pure. `names`: the spaCy model that finds names; None: patterns alone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = table.column("text").combine_chunks()
    # RE2 reads a chunk at some hundred megabytes a second; only what it finds is looked at one by one.
    maybe = pc.match_substring_regex(texts, MAYBE) if names is None else pc.is_valid(texts)
    asked = texts.filter(maybe).to_pylist()
    found = [_find(text, names) for text in asked]
    kinds = Counter(kind for row in found for kind in {pii.kind for pii in row})
    changed = {f"{kind} {_DONE[action]}": count for kind, count in kinds.items()}
    if action == "flag":
        return Outcome(table, {}, changed)
    table, pseudonyms = _pseudonymous(table)
    has = pc.replace_with_mask(maybe, maybe, pa.array([bool(row) for row in found], pa.bool_()))
    if action == "drop":
        return without(table, {"personal data": has}, {**changed, **pseudonyms})
    new = [replace(text, row)[0] for text, row in zip(asked, found, strict=True) if row]
    texts = pc.replace_with_mask(texts, has, pa.array(new, pa.string()))
    table = table.set_column(table.column_names.index("text"), "text", texts)
    # A placeholder may be longer than what it stands for.
    longer = pc.greater(pc.utf8_length(texts), max_characters)
    return without(table, {f"longer than {max_characters} characters": longer}, {**changed, **pseudonyms})


def _pseudonymous(table: "pa.Table") -> tuple["pa.Table", dict[str, int]]:
    """Groups that are someone's address or number, by their digest: rows stay together, the name goes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    groups = table.column("group").combine_chunks().dictionary_encode()
    maybe = pc.match_substring_regex(groups.dictionary, MAYBE)
    names = groups.dictionary.filter(maybe).to_pylist()
    new = [digest_bytes(name.encode()) if find_pii(name) else name for name in names]
    if new == names:
        return table, {}
    column = pc.replace_with_mask(groups.dictionary, maybe, pa.array(new, pa.string())).take(groups.indices)
    index = table.column_names.index("group")
    rows = pc.sum(pc.not_equal(table.column("group"), column)).as_py()
    return table.set_column(index, "group", column), {"group replaced by its digest": rows}


def _find(text: str, names: str | None) -> list[Pii]:
    found = find_pii(text)
    if names is None:
        return found
    # A checksum knows more than a model: what a pattern found is not named again.
    for name in find_names(text, names):
        if all(name.end <= other.start or name.start >= other.end for other in found):
            found.append(name)
    return sorted(found, key=lambda pii: pii.start)
