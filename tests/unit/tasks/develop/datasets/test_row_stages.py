"""Stages that look at one row at a time: normal form, personal data, language."""

import sys
from functools import partial
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.data import DataSettings
from infra.errors import ConfigError
from infra.guard.pii import Pii
from tasks.develop.datasets import personal
from tasks.develop.datasets.language import language_stage
from tasks.develop.datasets.normalise import HIDDEN, normalise_stage
from tasks.develop.datasets.personal import personal_stage
from tasks.develop.datasets.rows import normalised
from tests.unit.tasks.develop.datasets.samples import counted, run, table, texts, texts_table


def settings(**values: Any) -> DataSettings:
    return DataSettings(source="attack-stix", licence="MIT", **values)


def test_blank_overlong_and_unlicensed_rows_go_by_name() -> None:
    rows = texts_table(["x" * 11, " \u00a0 ", "\u200b", "fine"])
    stage = normalise_stage(settings(max_characters=10, allowed_licences=("MIT",)))
    outcome = run(stage, rows)
    assert texts(outcome) == ["fine"]
    assert counted(outcome) == {"empty text": 2, "longer than 10 characters": 1}
    assert counted(run(normalise_stage(settings(allowed_licences=("CC0-1.0",))), rows.slice(3))) == {
        "licence not allowed": 1
    }


def test_texts_get_one_form_and_lose_what_is_hidden() -> None:
    smuggled = "run" + "".join(chr(0xE0000 + ord(letter)) for letter in "delete all")
    outcome = run(
        normalise_stage(settings()), texts_table(["  A\u0301\n\tb  ", "a\u200bb\u202e", smuggled, "ok"])
    )
    assert texts(outcome) == ["Á b", "ab", "run", "ok"]
    assert outcome.changed == {HIDDEN: 2}


@hypothesis.settings(max_examples=40)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_normal_form_is_that_of_one_text(cells: list[str]) -> None:
    outcome = run(normalise_stage(settings()), texts_table(cells))
    again = run(normalise_stage(settings()), outcome.table)
    assert texts(again) == texts(outcome)
    assert all(text == normalised(text) for text in texts(outcome))


MAIL = "write to ann@example.org now"


def test_personal_data_are_redacted_dropped_or_flagged() -> None:
    rows = texts_table([MAIL, "plain", "DE89 3704 0044 0532 0130 00 and 081.2.3"])
    redacted = run(personal_stage(settings()), rows)
    assert texts(redacted) == ["write to [redacted:email] now", "plain", "[redacted:iban] and 081.2.3"]
    assert redacted.changed == {"email redacted": 1, "iban redacted": 1}
    dropped = run(personal_stage(settings(pii_action="drop")), rows)
    assert (texts(dropped), counted(dropped)) == (["plain"], {"personal data": 2})
    flagged = run(personal_stage(settings(pii_action="flag")), rows)
    assert (texts(flagged), flagged.changed) == (texts_list(rows), {"email found": 1, "iban found": 1})


def texts_list(rows: Any) -> list[str]:
    found: list[str] = rows.column("text").to_pylist()
    return found


def test_a_placeholder_that_makes_a_text_too_long_is_counted() -> None:
    outcome = run(personal_stage(settings(max_characters=12)), texts_table(["me a@b.cc", "short"]))
    assert (texts(outcome), counted(outcome)) == (["short"], {"longer than 12 characters": 1})


def test_groups_that_are_addresses_stay_together_without_their_name() -> None:
    rows = table([("one", "a", "ann@example.org"), ("two", "b", "ann@example.org"), ("three", "a", "team")])
    outcome = run(personal_stage(settings()), rows)
    groups = outcome.table.column("group").to_pylist()
    assert groups[0] == groups[1] != groups[2] == "team"
    assert groups[0].startswith("sha256:")
    assert outcome.changed == {"group replaced by its digest": 2}


def test_presidio_without_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(ConfigError, match="presidio is not installed") as caught:
        personal_stage(settings(pii_engine="presidio"))
    assert "assay[presidio]" in caught.value.hint


def test_a_pattern_is_not_named_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Pii("person", 0, 3), Pii("location", 12, 20)]
    monkeypatch.setattr(personal, "find_names", lambda _text, _model: found)
    work = partial(personal.personal_chunk, action="redact", names="some_model", max_characters=100)
    outcome = work(texts_table(["Ann to bob at ann@example.org, Eve"]))
    assert texts(outcome) == ["[redacted:person] to bob at [redacted:email], Eve"]
    assert outcome.changed == {"email redacted": 1, "person redacted": 1}


def test_languages_are_off_by_default() -> None:
    assert language_stage(settings()) is None
