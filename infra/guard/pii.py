"""Personal data in text by pattern and checksum: what can be told from its form alone, in linear time.

find_pii("mail ann@example.org")            # [Pii("email", 5, 20)]
redact_pii("mail ann@example.org")          # ("mail [redacted:email]", ("email",))

Names, places and dates of birth have no form of their own and are not found here.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

KINDS = ("email", "iban", "payment-card", "us-ssn", "ip-address", "phone")
"""Every kind, in the order of precedence: where two overlap, the earlier one is meant."""

MAYBE = (
    r"@|\+[0-9]|\([0-9]{3}\)|[0-9]{3}[ .\-][0-9]{2}|[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:|[0-9]{13}|[A-Z]{2}[0-9]{2} ?[0-9A-Z]{4}|[0-9]{4}[ \-][0-9]{6}"
)
"""An RE2 pattern that every text with personal data of `KINDS` contains: a cheap first look at many."""


@dataclass(frozen=True)
class Pii:
    """Where personal data stand in a text, and of which kind."""

    kind: str
    start: int
    end: int


def find_pii(text: str) -> list[Pii]:
    """Personal data from left to right, none inside another."""
    found: list[Pii] = []
    for kind in KINDS:
        for start, end in _matches(kind, text):
            if all(end <= other.start or start >= other.end for other in found):
                found.append(Pii(kind, start, end))
    return sorted(found, key=lambda pii: pii.start)


def has_pii(kind: str, text: str) -> bool:
    """Whether a text has personal data of this kind, wherever it may overlap with another kind."""
    return bool(_matches(kind, text))


def form_of(kind: str) -> str:
    """The RE2 pattern that every text with personal data of this kind contains."""
    return _RULES[kind][0]


def redact_pii(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with typed placeholders, and the kinds that were replaced, from left to right."""
    return replace(text, find_pii(text))


def replace(text: str, found: Sequence[Pii]) -> tuple[str, tuple[str, ...]]:
    """`text` with a placeholder for each of `found`, which are sorted and apart."""
    parts, cursor = [], 0
    for pii in found:
        parts += [text[cursor : pii.start], f"[redacted:{pii.kind}]"]
        cursor = pii.end
    return "".join(parts) + text[cursor:], tuple(pii.kind for pii in found)


def _matches(kind: str, text: str) -> list[tuple[int, int]]:
    pattern, holds = _rule(kind)
    return [match.span(1) for match in pattern.finditer(text) if holds(match.group(1), text, match.start(1))]


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1, annex B."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(two - 9 if two > 9 else two for two in doubled)) % 10 == 0


def mod_97(iban: str) -> bool:
    """Whether the check digits of ISO 13616 hold (ISO/IEC 7064, MOD 97-10)."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


# Characters of an IBAN by country, from the IBAN registry of ISO 13616.
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24,
    "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21,
    "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21,
    "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "XK": 20,
}  # fmt: skip
# Issuer ranges and lengths: Visa, Mastercard, American Express, Diners, Discover, JCB, Maestro.
_CARD = re.compile(
    r"4\d{12}(\d{3})?(\d{3})?|5[1-5]\d{14}|2(22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(0[0-5]|[689]\d)\d{11}|6(011|5\d\d|4[4-9]\d)\d{12}|35(2[89]|[3-8]\d)\d{12}|6(304|759|76[1-3])\d{8,15}"
)
# Public resolvers that anyone pings; RFC 4291: only 2000::/3 is given out, and `a::b` is also C++.
_RESOLVERS = frozenset({"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "208.67.222.222"})
_UNICAST = ipaddress.ip_network("2000::/3")
_VERSION = re.compile(r"(?i:\b(?:v|version|build|release|firmware)\.? ?)$")


def _is_iban(found: str, _text: str, _start: int) -> bool:
    plain = found.replace(" ", "")
    return len(plain) == _IBAN_LENGTHS.get(plain[:2]) and mod_97(plain)


def _is_card(found: str, _text: str, _start: int) -> bool:
    digits = re.sub(r"\D", "", found)
    return _CARD.fullmatch(digits) is not None and len(set(digits)) > 1 and luhn(digits)


def _is_ssn(found: str, _text: str, _start: int) -> bool:
    # 20 CFR 422.103: no area 000, 666 or 9xx, no group 00, no serial 0000.
    area, group, serial = found[:3], found[4:6], found[7:]
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


def _is_public_address(found: str, text: str, start: int) -> bool:
    # Private, loopback, documentation and resolver addresses say nothing about a person.
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return False
    if found in _RESOLVERS or not address.is_global or address.is_multicast:
        return False
    if address.version == 6:
        return address in _UNICAST
    after = text[start + len(found) :][:2]
    longer = len(after) == 2 and after[0] == "." and after[1].isdigit()  # 1.2.3.4.5 is an object identifier
    return not longer and not _VERSION.search(text[max(0, start - 12) : start])


def _is_phone(found: str, _text: str, _start: int) -> bool:
    # ITU-T E.164: 15 digits at most, country codes start at 1; or the North American numbering plan.
    digits = re.sub(r"\D", "", found)
    if found.startswith("+"):
        return 8 <= len(digits) <= 15 and digits[0] != "0"
    return len(digits) == 10 and digits[0] > "1" and digits[3] > "1"


def _always(_found: str, _text: str, _start: int) -> bool:
    return True


_EDGE = r"(?:^|[^0-9A-Za-z])"
_RULES: dict[str, tuple[str, Callable[[str, str, int], bool]]] = {
    "email": (
        r"(?:^|[^A-Za-z0-9._%+\-])([A-Za-z0-9_%+\-](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_%+\-])?"
        r"@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24})",
        _always,
    ),
    "iban": (_EDGE + r"([A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?)\b", _is_iban),
    "payment-card": (
        _EDGE + r"([0-9]{4}(?:[ \-]?[0-9]{4}){2}[ \-]?[0-9]{1,7}|[0-9]{4}[ \-]?[0-9]{6}[ \-]?[0-9]{4,5})\b",
        _is_card,
    ),
    "us-ssn": (r"(?:^|[^0-9A-Za-z\-])([0-9]{3}-[0-9]{2}-[0-9]{4})\b", _is_ssn),
    "ip-address": (
        r"(?:^|[^0-9A-Za-z.:])([0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})\b",
        _is_public_address,
    ),
    "phone": (
        r"(?:^|[^0-9A-Za-z+])(\+[0-9](?:[ .\-]?[(]?[0-9][)]?){7,14}"
        r"|(?:\([0-9]{3}\) ?|[0-9]{3}[ .\-])[0-9]{3}[ .\-][0-9]{4})\b",
        _is_phone,
    ),
}


@cache
def _rule(kind: str) -> tuple[Any, Callable[[str, str, int], bool]]:
    import re2

    pattern, holds = _RULES[kind]
    return re2.compile(pattern), holds
