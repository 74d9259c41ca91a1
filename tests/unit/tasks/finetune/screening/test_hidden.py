"""What a person cannot see is found; what writing systems need is let through."""

import pytest

from tasks.finetune.screening.hidden import hidden_characters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pay\u200bload", "U+200B"),
        ("pay\u200dload", "U+200D"),
        ("payload.\u200d It waits.", "U+200D"),
        ("pay\u2060load", "U+2060"),
        ("\ufeffpayload", "U+FEFF"),
        ("pay\u00adload", "U+00AD"),
        ("safe \u202egnp.exe", "U+202E"),
        ("a\U000e0069\U000e0067b", "U+E0069"),
        ("a\ufe0fb", "U+FE0F"),
        ("a\U000e0101b", "U+E0101"),
        ("a\u3164b", "U+3164"),
        ("a\x00b", "U+0000"),
        ("a\x1b[31mb", "U+001B"),
        ("p\u0430yload", "look-alike letters in 1 word"),
        ("p\u0430yload p\u043eint", "look-alike letters in 2 words"),
        ("\uff50\uff41\uff59\uff4c load", "look-alike letters in 1 word"),
        ("\u0430\u0441\u0441\u0435\u0441\u0455 to mail", "look-alike letters in 1 word"),
    ],
)
def test_hidden(text: str, expected: str) -> None:
    assert expected in hidden_characters(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Emotet sends mail.\n\tThen it waits.",
        "naïve café, Zürich",
        "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u05e9\u05dc\u05d5\u05dd \u200fabc\u200e",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
        "\u2764\ufe0f and 1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f flag",
        "\u845b\U000e0100",
        "\u03b2-amyloid, \u0394t",
    ],
)
def test_not_hidden(text: str) -> None:
    assert hidden_characters(text) == ()
