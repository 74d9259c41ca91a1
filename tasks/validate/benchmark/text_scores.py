"""How right a generated text is, from 0 to 1: exact, by pattern, shared words, longest common subsequence.

token_f1("The cat sat.", "a cat")        # 0.667: articles, case and punctuation do not count
rouge_l("the cat sat", "the dog sat")    # 0.667

All compare after Unicode compatibility composition (NFKC) and case folding: `ﬁ` is `fi`, full-width letters
are letters. A reference that holds no word is refused: nothing could be right or wrong about it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from infra.errors import DataError

_WORD = re.compile(r"\w+", re.UNICODE)
_ARTICLES = frozenset({"a", "an", "the"})


def exact(answer: str, reference: str) -> float:
    """1 when both are the same but for case, width, and white space around and between words."""
    return float(_squeezed(answer) == _squeezed(_stated(reference)))


def matches(answer: str, pattern: str) -> float:
    """1 when the RE2 pattern is found in the answer; raises DataError for a pattern that RE2 refuses.

    RE2, because its time is linear in the answer: an answer cannot make the scorer hang.
    """
    return float(_compiled(pattern).search(unicodedata.normalize("NFKC", answer)) is not None)


def check_pattern(pattern: str) -> None:
    """Raises DataError for a pattern that RE2 refuses, or that finds something in nothing."""
    if _compiled(pattern).search("") is not None:
        raise DataError(f"pattern {pattern!r} matches an empty answer", "an empty answer must not be right")


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of the shares of words that answer and reference have in common, articles dropped.

    As for SQuAD (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250). A reference of articles alone
    keeps them.
    """
    return _f1_of_words(_without_articles(answer), _without_articles(_stated(reference)))


def rouge_l(answer: str, reference: str) -> float:
    """F1 of the longest common subsequence of words (Lin 2004, https://aclanthology.org/W04-1013)."""
    ours, theirs = words(answer), words(_stated(reference))
    return _f1(longest_common_subsequence(ours, theirs), len(ours), len(theirs))


SCORES: dict[str, Callable[[str, str], float]] = {
    "exact": exact,
    "regex": matches,
    "token_f1": token_f1,
    "rouge_l": rouge_l,
}


def words(text: str) -> list[str]:
    """Words of a text: runs of letters, digits and underscores of any script, folded."""
    return _WORD.findall(_folded(text))


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest sequence that both contain in this order (Wagner & Fischer, JACM 1974)."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for at, other in enumerate(second, 1):
            above = row[at]
            row[at] = diagonal + 1 if word == other else max(above, row[at - 1])
            diagonal = above
    return row[-1]


def _f1_of_words(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return _f1((Counter(ours) & Counter(theirs)).total(), len(ours), len(theirs))


def _f1(common: int, ours: int, theirs: int) -> float:
    return 2 * common / (ours + theirs) if common else 0.0


def _without_articles(text: str) -> list[str]:
    found = words(text)
    return [word for word in found if word not in _ARTICLES] or found


def _stated(reference: str) -> str:
    if not words(reference):
        raise DataError(f"reference {reference[:40]!r} holds no word", "every row needs a reference answer")
    return reference


def _squeezed(text: str) -> str:
    return " ".join(_folded(text).split())


def _folded(text: str) -> str:
    # Folding can take apart what was composed (ŉ, ǰ): composed again afterwards, UAX #15 and Unicode D145.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _compiled(pattern: str) -> "re.Pattern[str]":
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled: re.Pattern[str] = re2.compile(pattern, options)
    except re2.error as error:
        raise DataError(f"pattern {pattern!r}: RE2 refuses it: {error}", "see RE2's syntax") from error
    return compiled
