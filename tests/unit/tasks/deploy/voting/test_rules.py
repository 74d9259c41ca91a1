"""The rules in force, by digest: keys of people alone, and nothing that could be taken for another."""

import pytest

from infra.errors import IntegrityError
from infra.signing.keys import ensure_key
from infra.signing.rotation import rotate_key
from tasks.deploy.voting.rules import read_rules, rules_of, store_rules
from tests.unit.tasks.deploy.voting.people import Town


def test_rules_read_back_are_the_same(ada: Town) -> None:
    store, rules = ada.open().store, ada.rules()
    assert store_rules(store, rules) == rules.digest
    assert read_rules(store, rules.digest) == rules
    assert rules.voters["ada"].key().key_id == rules.voters["ada"].key_id


def test_every_change_gives_another_digest(ada: Town) -> None:
    digests = {ada.rules().digest}
    for change in ({"quorum": 2}, {"four_eyes": False}, {"methods": ["key"]}, {"roles": ["security"]}):
        ada.write(**change)
        digests.add(ada.rules().digest)
    ada.timeout(17)
    digests.add(ada.rules().digest)
    digests.add(rules_of(ada.open("embedded").project).digest)
    ada.remove("grace")
    digests.add(ada.rules().digest)
    assert len(digests) == 8


def test_no_secret_is_among_them(ada: Town) -> None:
    text = ada.rules().to_bytes().decode()
    assert "file:" not in text
    assert (ada.home / "keys" / "approvers" / "ada" / "totp").read_text() not in text


def test_one_key_for_two_people_is_refused(ada: Town) -> None:
    key = ada.root / "people" / "ada" / "signing.pub"
    copy = ada.root / "copy.pub"
    copy.write_bytes(key.read_bytes())
    ada.people["grace"]["key"] = str(copy)
    ada.write()
    with pytest.raises(IntegrityError, match="ada and grace have the same key"):
        ada.rules()


def test_the_installations_own_key_is_nobodys(ada: Town) -> None:
    ada.people["ada"]["key"] = str(ensure_key(ada.home).public)
    ada.write()
    with pytest.raises(IntegrityError, match="this installation signs releases with"):
        ada.rules()


def test_nor_is_one_that_the_installation_signed_with_before(ada: Town) -> None:
    copy = ada.root / "old.pub"
    copy.write_bytes(ensure_key(ada.home).public.read_bytes())
    ada.people["ada"]["key"] = str(copy)
    ada.write()
    rotate_key(ada.home)
    with pytest.raises(IntegrityError, match="this installation signs releases with"):
        ada.rules()


def test_a_key_that_is_none_is_refused(ada: Town) -> None:
    (ada.root / "people" / "ada" / "signing.pub").write_text("not a key")
    with pytest.raises(IntegrityError, match="not a readable PEM"):
        ada.rules()


@pytest.mark.parametrize("data", [b"{}", b"[]", b"x"])
def test_other_bytes_are_no_rules(ada: Town, data: bytes) -> None:
    store = ada.open().store
    with pytest.raises(IntegrityError, match="no set of approval rules"):
        read_rules(store, store.put_bytes(data))


def test_rules_in_another_spelling_are_refused(ada: Town) -> None:
    store = ada.open().store
    with pytest.raises(IntegrityError, match="canonical"):
        read_rules(store, store.put_bytes(ada.rules().to_bytes() + b"\n"))
