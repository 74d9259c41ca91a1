"""OMS v1 (OpenSSF Model Signing): a signature over the files of a model, checked strictly.

statement = model_statement("adapter", {"adapter_model.safetensors": digest, …})
root = check_model_statement(verify_statement(bundle, keys, "adapter.sig"), files, "adapter.sig")

Stricter than the stock verifier, which obeys the signature's own ignore list, accepts the v0.1 predicate,
an empty model and anything below `.git` (seen with model-signing 1.1.1). Specification:
github.com/ossf/model-signing-spec.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from infra.digest import PREFIX, hex_of
from infra.errors import IntegrityError
from infra.signing.dsse import statement, subjects_of

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_SERIALIZATION = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
# The stock signer always lists these; a tree that holds any of them was refused before we get here.
_HARMLESS_IGNORES = frozenset({".git", ".github", ".gitignore", ".gitattributes"})


def root_digest(files: Mapping[str, str]) -> str:
    """OMS root: SHA-256 over the raw digests of all files, in the order of their names."""
    hasher = hashlib.sha256()
    for name in sorted(files):
        hasher.update(bytes.fromhex(hex_of(files[name])))
    return PREFIX + hasher.hexdigest()


def model_statement(model: str, files: Mapping[str, str]) -> dict[str, Any]:
    """What an OMS v1 signer signs for `{name: digest}` files."""
    return statement(
        {model: root_digest(files)},
        PREDICATE_TYPE,
        {"serialization": _SERIALIZATION, "resources": _resources(files)},
    )


def check_model_statement(content: Mapping[str, Any], files: Mapping[str, str], name: str) -> str:
    """The root digest, if the signed statement names exactly `files`; raises IntegrityError."""
    if not files:
        raise IntegrityError(f"{name}: the signed model has no files")
    if content.get("predicateType") != PREDICATE_TYPE:
        raise IntegrityError(
            f"{name}: got predicate {content.get('predicateType')!r}, expected {PREDICATE_TYPE!r}"
        )
    predicate = content.get("predicate")
    if not isinstance(predicate, dict):
        raise IntegrityError(f"{name}: malformed predicate")
    _check_serialization(predicate.get("serialization"), name)
    _check_resources(predicate.get("resources"), _resources(files), name)
    expected = root_digest(files)
    if list(subjects_of(content, name).values()) != [expected]:
        raise IntegrityError(f"{name}: root digest does not follow from the files: expected {expected}")
    return expected


def _resources(files: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "algorithm": "sha256", "digest": hex_of(files[name])} for name in sorted(files)]


def _check_serialization(got: object, name: str) -> None:
    if not isinstance(got, dict):
        raise IntegrityError(f"{name}: malformed serialization")
    ignored = got.get("ignore_paths", [])
    if not isinstance(ignored, list) or not all(path in _HARMLESS_IGNORES for path in ignored):
        raise IntegrityError(f"{name}: the signature leaves files out: {ignored!r}")
    rest = {key: value for key, value in got.items() if key != "ignore_paths"}
    if rest != _SERIALIZATION:
        raise IntegrityError(f"{name}: got serialization {rest!r}, expected {_SERIALIZATION!r}")


def _check_resources(got: object, expected: list[dict[str, str]], name: str) -> None:
    if not isinstance(got, list) or not all(isinstance(each, dict) for each in got):
        raise IntegrityError(f"{name}: malformed resources")
    signed = {str(each.get("name")): each for each in got}
    wanted = {each["name"]: each for each in expected}
    for file in sorted(set(signed) ^ set(wanted)):
        known = "is signed but not here" if file in signed else "is here but not signed"
        raise IntegrityError(f"{name}: {file} {known}")
    for file, resource in wanted.items():
        if signed[file] != resource:
            raise IntegrityError(f"{name}: {file} does not have the signed digest")
    if got != expected:
        raise IntegrityError(f"{name}: resources are repeated or out of order")
