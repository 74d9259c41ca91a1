"""Personal data by pattern: what only looks like it stays, what is it goes, wherever it stands."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.guard.pii import KINDS, MAYBE, Pii, find_pii, luhn, mod_97, redact_pii

NONE = [
    "CVE-2010-2866 was found on 2023-01-05 at 10:20:30.",
    "The .NET version 4.0.30319.42000 and build 1.2.3.4 were seen.",
    "OID 1.3.6.1.4.1.311 and 10.0.10586.0",
    "ping 127.0.0.1, 10.1.2.3, 192.168.0.1, 203.0.113.7 and 8.8.8.8",
    "std::vector a::b ::1 fe80::1 2001:db8::1 00:1A:2B:3C:4D:5E",
    "card 4111 1111 1111 1112, serial 1234567890123456, 0000 0000 0000 0000",
    "DE88 3704 0044 0532 0130 00 has wrong check digits, XX89370400440532013000 no country",
    "000-12-3456 666-12-3456 912-12-3456 078-00-1120 078-05-0000",
    "user@localhost and @handle and a@b.c",
    "155-234-5678 (555) 034-5678 +0 30 1234567",
    "MD5 d41d8cd98f00b204e9800998ecf8427e",
]
SOME = [
    ("mail ann@example.org.", "mail [redacted:email].", ("email",)),
    ("bob.c+x@sub.example.co.uk", "[redacted:email]", ("email",)),
    ("pay DE89 3704 0044 0532 0130 00 now", "pay [redacted:iban] now", ("iban",)),
    ("GB82WEST12345698765432", "[redacted:iban]", ("iban",)),
    ("4111 1111 1111 1111,", "[redacted:payment-card],", ("payment-card",)),
    ("3782 822463 10005", "[redacted:payment-card]", ("payment-card",)),
    ("SSN 078-05-1120", "SSN [redacted:us-ssn]", ("us-ssn",)),
    ("from 81.2.69.142:80", "from [redacted:ip-address]:80", ("ip-address",)),
    ("at 2a00:1450:4001::200e", "at [redacted:ip-address]", ("ip-address",)),
    ("call +49 (0)30 1234567 now", "call [redacted:phone] now", ("phone",)),
    ("(555) 234-5678 555-234-5678", "[redacted:phone] [redacted:phone]", ("phone", "phone")),
    ("Grüße 🎉 ann@example.org ü", "Grüße 🎉 [redacted:email] ü", ("email",)),
]


@pytest.mark.parametrize("text", NONE)
def test_what_only_looks_like_personal_data_stays(text: str) -> None:
    assert find_pii(text) == []


@pytest.mark.parametrize(("text", "expected", "kinds"), SOME)
def test_personal_data_become_placeholders_of_their_kind(
    text: str, expected: str, kinds: tuple[str, ...]
) -> None:
    assert redact_pii(text) == (expected, kinds)
    assert redact_pii(expected) == (expected, ())


@pytest.mark.parametrize(("text", "expected", "kinds"), SOME)
def test_the_first_look_never_misses(text: str, expected: str, kinds: tuple[str, ...]) -> None:
    import re2

    assert re2.search(MAYBE, text)


def test_places_are_those_of_the_text() -> None:
    assert find_pii("ü ann@example.org") == [Pii("email", 2, 17)]
    assert set(KINDS) == {kind for _, _, kinds in SOME for kind in kinds}


def test_check_digits() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert mod_97("GB82WEST12345698765432")
    assert not mod_97("GB83WEST12345698765432")


@given(st.text(alphabet="0123456789 -.@+():abcDE", max_size=60))
def test_the_first_look_finds_whatever_is_found(text: str) -> None:
    import re2

    found = find_pii(text)
    assert not found or re2.search(MAYBE, text)
    assert all(left.end <= right.start for left, right in itertools.pairwise(found))
