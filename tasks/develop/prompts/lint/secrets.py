"""What looks like a secret: known shapes, and words too random to be language.

secrets_in("token=…")        # ["password or key"]: kinds, never the text itself
"""

import math
import re
from collections import Counter
from itertools import pairwise

_SECRETS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
    "API key": re.compile(r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\bhf_[A-Za-z0-9]{20,}|\bAIza[\w-]{30,}"),
    "Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "JSON web token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\."),
    "password in a URL": re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@"),
    "password or key": re.compile(
        r"(?i)\b(?:password|passwd|passphrase|secret|token|api[_ -]?key|access[_ -]?key)\s*(?:=|:|\bis\b)\s*"
        r"[\"']?(?=\S*[0-9])\S{8,}"
    ),
    "canary written out": re.compile(r"\bCNRY-[A-Z2-7]{16}\b"),
}
# Runs without separators: names of models, vulnerabilities and pages have them, keys rarely do.
_CANDIDATE = re.compile(r"[A-Za-z0-9+=]{20,}")
_LEAST_BITS, _LEAST_DIGITS, _LEAST_CHANGES, _LEAST_SHARE = 3.0, 2, 4, 0.1


def secrets_in(text: str) -> list[str]:
    """Kinds of secrets that the text seems to hold."""
    return [kind for kind, pattern in _SECRETS.items() if pattern.search(text)]


def random_words(text: str) -> int:
    """How many words look drawn by chance: many distinct characters, classes changing all the time."""
    return sum(map(_looks_random, _CANDIDATE.findall(text)))


def entropy_bits(word: str) -> float:
    """Shannon entropy of a word's characters, bits a character."""
    counts = Counter(word).values()
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counts)


def _looks_random(word: str) -> bool:
    # Small letters, capitals and digits alternate in keys; camelCase has no digits, and "T1566" few changes.
    classes = [0 if char.islower() else 1 if char.isupper() else 2 for char in word]
    changes = sum(one != other for one, other in pairwise(classes))
    return (
        entropy_bits(word) >= _LEAST_BITS
        and sum(char.isdigit() for char in word) >= _LEAST_DIGITS
        and changes >= max(_LEAST_CHANGES, _LEAST_SHARE * len(word))
    )
