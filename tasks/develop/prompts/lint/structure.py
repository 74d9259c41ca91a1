"""Lint of a prompt file's shape: keys, types, labels, settings."""

import difflib
from typing import Any

from pydantic import ValidationError

from tasks.develop.prompts.draft import Draft, cleaned
from tasks.develop.prompts.file import PromptFile, SettingsEntry, VariableEntry
from tasks.records.record import Record

_LEVELS: dict[tuple[str, ...], type[Record]] = {(): PromptFile, ("settings",): SettingsEntry}


def check_schema(draft: Draft) -> None:
    """Every way in which the file does not fit its schema; sets `draft.content` when it does."""
    values = {
        key: cleaned(value) if isinstance(value, str) else value for key, value in draft.source.values.items()
    }
    try:
        draft.content = PromptFile.model_validate(values)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        misspelt = {_close(tuple(each["loc"])) for each in errors if each["type"] == "extra_forbidden"}
        for each in errors:
            if each["type"] == "missing" and each["loc"][-1] in misspelt:
                continue  # one cause, one finding
            _note(draft, tuple(each["loc"]), each["type"], each["msg"], each["input"])


def _note(draft: Draft, at: tuple[str | int, ...], kind: str, reason: str, got: Any) -> None:
    name = ".".join(map(str, at))
    if kind == "extra_forbidden":
        close = _close(at)
        hint = f"did you mean {close!r}?" if close else f"valid keys: {', '.join(_known(at))}"
        draft.error("schema", at, f"unknown key {name!r}", hint)
    elif kind == "missing":
        draft.error("schema", at[:-1], f"no key {name!r}", "add it to the prompt file")
    elif at == ("name",) and isinstance(got, str) and got:
        draft.error("schema", at, f"name: got {got!r}, expected a-z, 0-9 and '-'")
    else:
        # Values of texts are not repeated: whatever was pasted there is shown in logs.
        shown = (
            repr(got) if isinstance(got, bool | int | float) else "nothing" if not got else type(got).__name__
        )
        draft.error("schema", at, f"{name}: got {shown}: {reason}", "see configs/schema/prompt.schema.json")


def _known(at: tuple[str | int, ...]) -> list[str]:
    return list(_LEVELS.get(tuple(map(str, at[:-1])), VariableEntry).model_fields)


def _close(at: tuple[str | int, ...]) -> str | None:
    return next(iter(difflib.get_close_matches(str(at[-1]), _known(at), n=1)), None)


def check_labels(draft: Draft) -> None:
    """Labels have to be listable in one line."""
    if not draft.labels or len(set(draft.labels)) != len(draft.labels):
        draft.error("labels", (), f"labels: got {len(draft.labels)}, expected at least one and none twice")
    for label in draft.labels:
        if not label.strip() or label != label.strip() or not label.isprintable() or "," in label:
            hint = "labels are one line of text without commas: rename them in the data"
            draft.error("labels", (), f"label {label!r} cannot be listed in a prompt", hint)
    for number, example in enumerate(draft.examples, start=1):
        if example.label not in draft.labels:
            draft.error("examples", (), f"example {number} has the label {example.label!r}, not one of these")


def check_settings(draft: Draft) -> None:
    """What is served has to be what is measured: the likeliest answer."""
    if draft.content is None:
        return
    settings = draft.content.settings
    if settings.temperature != 0 or settings.top_p != 1:
        draft.error(
            "sampling",
            ("settings",),
            f"got temperature {settings.temperature:g} and top_p {settings.top_p:g}, expected 0 and 1",
            "validation measures the likeliest answer; a sampled one would not be what was measured",
        )
    if not draft.content.normalise:
        draft.warning(
            "not-normalised",
            ("user",),
            "text from outside reaches the model as it is: invisible characters, look-alikes, upper case",
            "normalise: [invisible, confusables, shouting]",
        )
