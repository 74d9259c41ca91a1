from tasks.develop.prompts.difference import definition_difference, difference_text

OLD = {"name": "triage", "system": "One of {{labels}}.\nBe brief.", "labels": ["a", "b"]}


def test_no_difference() -> None:
    assert definition_difference(OLD, dict(OLD)) == {}
    assert difference_text({}) == "no difference"


def test_words_labels_and_new_keys_are_shown_line_by_line() -> None:
    new = {**OLD, "system": "One of {{labels}}.\nBe exact.", "labels": ["a"], "settings": {"top_p": 0.5}}
    changes = definition_difference(OLD, new)
    assert set(changes) == {"system", "labels", "settings"}
    text = difference_text(changes)
    assert "  -Be brief.\n  +Be exact." in text
    assert "  -b" in text
    assert "  +top_p: 0.5" in text
    assert "name" not in text
