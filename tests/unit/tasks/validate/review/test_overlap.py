"""What evaluation shares with training is found whatever its dress; what it does not share is not."""

import pytest

from tasks.validate.review.overlap import RUN_WORDS, recount, words_of

TRAINED = "The group used a scheduled task to start its loader every hour on all hosts."


@pytest.mark.parametrize(
    "text",
    [
        TRAINED,
        TRAINED.upper(),
        "the group used a scheduled task, to start its loader EVERY hour - on all hosts",
        "\u200bThe group\u200b used a scheduled task to start its loader every hour on all hosts",
        "Later " + " ".join(TRAINED.split()[2 : 2 + RUN_WORDS]) + " happened again",
        "Ｔｈｅ ｇｒｏｕｐ used a scheduled task to start its loader every hour on all hosts",
    ],
)
def test_shared_words_are_found(text: str) -> None:
    assert recount([TRAINED], ["Something else.", text]).shared == {1}


@pytest.mark.parametrize(
    "text",
    ["", "...", "The group used a scheduled task to", "hosts all on hour every loader its start to task"],
)
def test_fewer_or_other_words_are_not(text: str) -> None:
    found = recount([TRAINED, "", "!"], [text])
    assert found.shared == set()


def test_whole_texts_are_counted_apart() -> None:
    found = recount([TRAINED, "Short one."], ["Short one.", "short one", TRAINED])
    assert found.whole == {0, 2}
    assert found.shared == {0, 1, 2}


def test_it_agrees_with_the_report_of_the_data_set() -> None:
    # Two implementations of one definition: neither may see what the other does not.
    import pyarrow as pa

    from tasks.develop.quality.scan import scan_texts

    train = [TRAINED, "İstanbul'da görüldü", "नमस्ते दुनिया यह एक लंबा वाक्य है जो दोहराया गया", "ﬁle x"]
    test = ["istanbul da görüldü", "दुनिया यह एक लंबा वाक्य है जो दोहराया", "file X", "x_file", TRAINED.title()]
    scanned = scan_texts({"train": pa.chunked_array([train]), "test": pa.chunked_array([test])})
    theirs = {number for number, flag in enumerate(scanned.contaminated.tolist()[-len(test) :]) if flag}
    assert recount(train, test).shared == theirs


def test_words() -> None:
    assert words_of("CVE-2021-44228, e\u0301tude_x") == ["cve", "2021", "44228", "étude", "x"]
