"""Stage "pii": personal data become placeholders, or their rows go, or are only counted.

stage = personal_stage(project.data)
personal_chunk(table, action="redact", engine="patterns", max_characters=2000)
"""

from collections import Counter
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal

from infra.config.data import DataSettings
from infra.digest import digest_bytes
from infra.errors import ConfigError
from infra.guard.pii import MAYBE, Pii, find_pii, replace
from tasks.develop.datasets.normalise import each_chunk, without
from tasks.develop.datasets.stages import Outcome, Stage

if TYPE_CHECKING:
    import pyarrow as pa

Action = Literal["redact", "drop", "flag"]
Engine = Literal["patterns", "presidio"]
_DONE = {"redact": "redacted", "drop": "dropped", "flag": "found"}


def personal_stage(data: DataSettings) -> Stage:
    """Personal data in texts and in group names, by `data.pii_action`."""
    work = partial(
        personal_chunk, action=data.pii_action, engine=data.pii_engine, max_characters=data.max_characters
    )
    settings = {**work.keywords}
    modules = ("tasks.develop.datasets.personal", "tasks.develop.datasets.normalise", "infra.guard.pii")
    return Stage("pii", settings, modules, partial(each_chunk, work))


def personal_chunk(table: "pa.Table", *, action: Action, engine: Engine, max_characters: int) -> Outcome:
    """The chunk after `action`; pure. Raises ConfigError when the engine is not installed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = table.column("text").combine_chunks()
    # RE2 reads a chunk at some hundred megabytes a second; only what it finds is looked at one by one.
    maybe = pc.match_substring_regex(texts, MAYBE) if engine == "patterns" else pc.is_valid(texts)
    asked = texts.filter(maybe).to_pylist()
    found = [_find(text, engine) for text in asked]
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


def _find(text: str, engine: Engine) -> list[Pii]:
    return find_pii(text) if engine == "patterns" else _presidio_pii(text)


def _presidio_pii(text: str) -> list[Pii]:
    found = sorted(_analyzer().analyze(text, language="en"), key=lambda one: (one.start, -one.end))
    apart: list[Pii] = []
    for one in found:
        if not apart or one.start >= apart[-1].end:
            apart.append(Pii(one.entity_type.lower().replace("_", "-"), one.start, one.end))
    return apart


@cache
def _analyzer() -> Any:
    try:
        from presidio_analyzer import AnalyzerEngine
    except ImportError as error:
        raise ConfigError(
            "data.pii_engine: presidio is not installed",
            hint="install the extra: pip install 'assay[presidio]', or set data.pii_engine: patterns",
        ) from error
    return AnalyzerEngine()
