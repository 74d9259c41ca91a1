"""Signed waivers: a file counts only as its owner's listed key signed it; others are told of, and ignored."""

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.digest import digest_bytes
from infra.errors import ConfigError
from infra.signing.dsse import sign_statement, statement
from infra.signing.keys import PublicKey, create_key, describe, load_private_key
from tasks.records import Waiver
from tasks.validate.waivers.read import SignedWaivers, read_waivers
from tasks.validate.waivers.sign import sign_waiver
from tasks.validate.waivers.statement import PREDICATE_TYPE, waiver_statement

UNIT = digest_bytes(b"unit")
TODAY = date(2026, 11, 24)
WAIVER = Waiver(
    candidate=UNIT, gate="floor", owner="ada", reason="few rows this week", expires=date(2026, 12, 1)
)
Key = ec.EllipticCurvePrivateKey


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Key]:
    root = tmp_path_factory.mktemp("keys")
    return {name: load_private_key(create_key(root / name).private) for name in ("ada", "bob", "eve")}


@pytest.fixture
def owners(keys: dict[str, Key]) -> dict[str, PublicKey]:
    return {name: describe(keys[name].public_key()) for name in ("ada", "bob")}


def read(directory: Path, owners: dict[str, PublicKey], today: date = TODAY) -> SignedWaivers:
    return read_waivers(directory, owners, longest_days=30, today=today)


def put(directory: Path, bundle: bytes, name: str = "w.json") -> Path:
    (directory / name).write_bytes(bundle)
    return directory / name


def refusal(signed: SignedWaivers) -> str:
    assert signed.waivers == {}
    (refused,) = signed.refused
    assert (refused.file, refused.gate, refused.owner) == ("w.json", None, None)
    return refused.reason


def sign(waiver: Waiver, key: Key, owners: dict[str, PublicKey], today: date = TODAY) -> tuple[str, bytes]:
    return sign_waiver(waiver, key, owners=owners, gates=["floor", "leak"], longest_days=30, today=today)


def test_what_its_owner_signed_counts(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey]
) -> None:
    name, bundle = sign(WAIVER, keys["ada"], owners)
    put(tmp_path, bundle, name)
    assert read(tmp_path, owners) == SignedWaivers({name: WAIVER}, ())


def test_no_directory_holds_no_waiver(tmp_path: Path, owners: dict[str, PublicKey]) -> None:
    assert read(tmp_path / "absent", owners) == SignedWaivers({}, ())


def test_nobody_listed_nothing_counts(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey]
) -> None:
    put(tmp_path, sign(WAIVER, keys["ada"], owners)[1])
    assert "not trusted" in refusal(read(tmp_path, {}))


def test_an_unknown_key_does_not_count(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey]
) -> None:
    put(tmp_path, sign_statement(waiver_statement(WAIVER, TODAY), keys["eve"]))
    assert "not trusted" in refusal(read(tmp_path, owners))


def test_one_owner_cannot_sign_for_another(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey]
) -> None:
    put(tmp_path, sign_statement(waiver_statement(WAIVER, TODAY), keys["bob"]))
    assert "not trusted" in refusal(read(tmp_path, owners))


def test_an_owner_that_is_not_listed_any_more_does_not_count(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey]
) -> None:
    put(tmp_path, sign(WAIVER, keys["ada"], owners)[1])
    assert refusal(read(tmp_path, {"grace": owners["ada"]})) == "its owner is not listed in the configuration"


@pytest.mark.parametrize(
    "field",
    ["gate", "owner", "reason", "expires", "signedOn", "candidate"],
)
def test_an_altered_waiver_does_not_count(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey], field: str
) -> None:
    document = json.loads(sign(WAIVER, keys["ada"], owners)[1])
    changed = waiver_statement(WAIVER, TODAY)
    if field == "candidate":
        changed["subject"][0]["digest"]["sha256"] = "0" * 64
    else:
        changed["predicate"][field] = "2026-12-20" if field in ("expires", "signedOn") else "leak"
    forged = json.loads(sign_statement(changed, keys["eve"]))
    document["dsseEnvelope"]["payload"] = forged["dsseEnvelope"]["payload"]
    put(tmp_path, json.dumps(document).encode())
    assert "signature does not fit its content" in refusal(read(tmp_path, owners))


STATEMENT = waiver_statement(WAIVER, TODAY)


def predicate(**changes: Any) -> dict[str, Any]:
    return {**STATEMENT, "predicate": {**STATEMENT["predicate"], **changes}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (statement({"candidate": UNIT}, "urn:assay:release:v2", STATEMENT["predicate"]), "not a waiver"),
        (statement({"model": UNIT}, PREDICATE_TYPE, STATEMENT["predicate"]), "exactly one candidate"),
        (
            statement({"candidate": UNIT, "other": UNIT}, PREDICATE_TYPE, STATEMENT["predicate"]),
            "exactly one candidate",
        ),
        ({**STATEMENT, "predicate": "all gates"}, "exactly one candidate"),
        ({**STATEMENT, "subject": []}, "subjects are absent"),
        (predicate(everything=True), "not a waiver: ValidationError"),
        (predicate(candidate=digest_bytes(b"another")), "exactly one candidate"),
        (predicate(expires="soon"), "not a waiver: ValidationError"),
        (predicate(signedOn=None), "not a waiver: TypeError"),
        (predicate(owner=["ada", "bob"]), "not a waiver: ValidationError"),
        (predicate(reason=""), "not a waiver: ValidationError"),
        (predicate(expires="2027-11-24"), "longer than the 30 days allowed"),
        (predicate(expires="2026-11-23"), "longer than the 30 days allowed"),
        (predicate(signedOn="2026-11-25"), "yet to come"),
    ],
)
def test_a_signature_over_something_else_does_not_count(
    tmp_path: Path,
    keys: dict[str, Key],
    owners: dict[str, PublicKey],
    content: dict[str, Any],
    reason: str,
) -> None:
    put(tmp_path, sign_statement(content, keys["ada"]))
    assert reason in refusal(read(tmp_path, owners))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"a":1,"a":2}', b"{" * 5000, b" " * 70_000]
)
def test_what_is_no_signed_file_does_not_count(
    tmp_path: Path, owners: dict[str, PublicKey], data: bytes
) -> None:
    put(tmp_path, data)
    assert refusal(read(tmp_path, owners))


def test_links_pipes_and_directories_are_not_read(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey]
) -> None:
    elsewhere, directory = tmp_path / "elsewhere", tmp_path / "waivers"
    elsewhere.mkdir()
    directory.mkdir()
    (directory / "link.json").symlink_to(put(elsewhere, sign(WAIVER, keys["ada"], owners)[1]))
    os.mkfifo(directory / "pipe.json")
    (directory / "folder.json").mkdir()
    signed = read(directory, owners)
    assert signed.waivers == {}
    assert sorted(each.file for each in signed.refused) == ["folder.json", "link.json", "pipe.json"]


def test_a_bad_file_beside_a_good_one_spoils_nothing(
    tmp_path: Path, keys: dict[str, Key], owners: dict[str, PublicKey]
) -> None:
    put(tmp_path, b"{}", "a.json")
    put(tmp_path, sign(WAIVER, keys["ada"], owners)[1], "b.json")
    signed = read(tmp_path, owners)
    assert set(signed.waivers) == {"b.json"}
    assert [each.file for each in signed.refused] == ["a.json"]


def test_names_and_reasons_are_safe_to_print(tmp_path: Path, owners: dict[str, PublicKey]) -> None:
    put(tmp_path, b'{"mediaType": "\\u001b[2J\\u202e"}', "x\x1b[2J.json")
    (refused,) = read(tmp_path, owners).refused
    assert refused.file.isprintable()
    assert refused.reason.isprintable()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gate": "flor"}, "no gate 'flor'"),
        ({"expires": TODAY - timedelta(days=1)}, "does not count"),
        ({"expires": TODAY + timedelta(days=31)}, "does not count"),
        ({"owner": "eve"}, "'eve' may not waive"),
        ({"owner": "bob"}, "this is not bob's key"),
    ],
)
def test_what_would_not_count_is_not_signed(
    keys: dict[str, Key], owners: dict[str, PublicKey], changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        sign(WAIVER.model_copy(update=changes), keys["ada"], owners)
    assert reason in caught.value.message


def test_the_last_day_still_counts(
    keys: dict[str, Key], owners: dict[str, PublicKey], tmp_path: Path
) -> None:
    for expires in (TODAY, TODAY + timedelta(days=30)):
        name, bundle = sign(WAIVER.model_copy(update={"expires": expires}), keys["ada"], owners)
        put(tmp_path, bundle, name)
    assert len(read(tmp_path, owners).waivers) == 2
