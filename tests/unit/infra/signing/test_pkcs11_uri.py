"""PKCS#11 URIs: one that is not exact is refused, and a PIN inside is never repeated."""

import pytest

from infra.errors import ConfigError
from infra.signing.pkcs11_uri import parse_uri


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("", "does not begin"),
        ("file:/key.pem", "does not begin"),
        ("pkcs11:?module-path=/m.so", "names no key"),
        ("pkcs11:token=t?module-path=/m.so", "names no key"),
        ("pkcs11:object=k", "module-path"),
        ("pkcs11:object=k?module-path=m.so", "module-path"),
        ("pkcs11:object=k;type=cert?module-path=/m.so", "another type"),
        ("pkcs11:object=k;object=l?module-path=/m.so", "repeated"),
        ("pkcs11:object=k;slot-id=1?module-path=/m.so", "unknown"),
        ("pkcs11:object=k;module-path=/m.so", "misplaced"),
        ("pkcs11:object=a b?module-path=/m.so", "percent-encoded"),
        ("pkcs11:object=%zz?module-path=/m.so", "percent-encoded"),
        ("pkcs11:object=%ff?module-path=/m.so", "UTF-8"),
        ("pkcs11:object=k?module-path=/m.so&pin-source=pin", "absolute"),
        ("pkcs11:object=k?module-path=/m.so&pin-source=|cat%20/pin", "absolute"),
        ("pkcs11:object=k?module-path=/m.so&pin-source=%7Ccat%20/pin", "absolute"),
    ],
)
def test_what_is_not_exact_is_refused(uri: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        parse_uri(uri)


@pytest.mark.parametrize("uri", ["pkcs11:object=k?module-path=/m.so&pin-value=4711", "pkcs11:pin-value=4711"])
def test_a_pin_in_the_uri_is_refused_without_repeating_it(uri: str) -> None:
    with pytest.raises(ConfigError, match="process lists") as caught:
        parse_uri(uri)
    assert "4711" not in caught.value.diagnostics()
