"""OMS v1 (OpenSSF Model Signing): a signature over the files of a model, checked strictly.

statement = model_statement("adapter", {"adapter_model.safetensors": digest, …})
root = check_model_statement(verify_statement(bundle, keys, "adapter.sig"), files, "adapter.sig")

Files are hashed with SHA-256, which every verifier knows, or with BLAKE3, which the specification leaves
optional.

Stricter than the stock verifier, which obeys the signature's own ignore list, accepts the v0.1 predicate,
an empty model and anything below `.git` (seen with model-signing 1.1.1). Specification:
github.com/ossf/model-signing-spec.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from infra.digest import PREFIX
from infra.refusal import Reason, VerificationError
from infra.signing.dsse import statement, subjects_of

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_LEGACY = "https://model_signing/Digests/v0.1"
# The stock signer always lists these; a tree that holds any of them was refused before we get here.
_HARMLESS_IGNORES = frozenset({".git", ".github", ".gitignore", ".gitattributes"})


def root_digest(files: Mapping[str, str], hash_type: str = "sha256") -> str:
    """OMS root: SHA-256 (whatever hashed the files) over their raw digests, in the order of their names."""
    hasher = hashlib.sha256()
    for name in sorted(files):
        hasher.update(bytes.fromhex(_hex(files[name], hash_type)))
    return PREFIX + hasher.hexdigest()


def model_statement(model: str, files: Mapping[str, str], hash_type: str = "sha256") -> dict[str, Any]:
    """What an OMS v1 signer signs for `{name: "<hash_type>:<hex>"}` files."""
    return statement(
        {model: root_digest(files, hash_type)},
        PREDICATE_TYPE,
        {"serialization": _serialization(hash_type), "resources": _resources(files, hash_type)},
    )


def hash_type_of(content: Mapping[str, Any], allowed: Collection[str], name: str) -> str:
    """The hash that a signed model statement uses; raises VerificationError unless it is an allowed one."""
    serialization = _predicate(content, name).get("serialization")
    got = serialization.get("hash_type") if isinstance(serialization, dict) else None
    if not isinstance(got, str) or got not in allowed:
        raise VerificationError(
            Reason.HASH_REFUSED, f"{name}: got hash {got!r}, expected {' or '.join(sorted(allowed))}"
        )
    return got


def check_model_statement(
    content: Mapping[str, Any], files: Mapping[str, str], name: str, hash_type: str = "sha256"
) -> str:
    """The root digest, if the signed statement names exactly `files`; raises VerificationError."""
    if not files:
        raise VerificationError(Reason.MODEL_EMPTY, f"{name}: the signed model has no files")
    predicate = _predicate(content, name)
    _check_serialization(predicate.get("serialization"), _serialization(hash_type), name)
    _check_resources(predicate.get("resources"), _resources(files, hash_type), name)
    expected = root_digest(files, hash_type)
    if list(subjects_of(content, name).values()) != [expected]:
        raise VerificationError(
            Reason.WRONG_SUBJECT, f"{name}: root digest does not follow from the files: expected {expected}"
        )
    return expected


def _predicate(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    if (got := content.get("predicateType")) != PREDICATE_TYPE:
        reason = Reason.PREDICATE_LEGACY if got == _LEGACY else Reason.WRONG_STAGE
        raise VerificationError(reason, f"{name}: got predicate {got!r}, expected {PREDICATE_TYPE!r}")
    predicate = content.get("predicate")
    if not isinstance(predicate, dict):
        raise VerificationError(Reason.MALFORMED, f"{name}: malformed predicate")
    return predicate


def _serialization(hash_type: str) -> dict[str, Any]:
    return {"method": "files", "hash_type": hash_type, "allow_symlinks": False}


def _resources(files: Mapping[str, str], hash_type: str) -> list[dict[str, str]]:
    return [
        {"name": name, "algorithm": hash_type, "digest": _hex(files[name], hash_type)}
        for name in sorted(files)
    ]


def _hex(digest: str, hash_type: str) -> str:
    kind, _, hexes = digest.partition(":")
    if kind != hash_type or len(hexes) != 64 or set(hexes) - set("0123456789abcdef"):
        raise VerificationError(Reason.MALFORMED, f"not a digest: got {digest!r}, expected {hash_type}:<hex>")
    return hexes


def _check_serialization(got: object, expected: Mapping[str, Any], name: str) -> None:
    if not isinstance(got, dict):
        raise VerificationError(Reason.MALFORMED, f"{name}: malformed serialization")
    ignored = got.get("ignore_paths", [])
    if not isinstance(ignored, list) or not _HARMLESS_IGNORES.issuperset(map(str, ignored)):
        raise VerificationError(Reason.IGNORE_PATHS, f"{name}: the signature leaves files out: {ignored!r}")
    rest = {key: value for key, value in got.items() if key != "ignore_paths"}
    if rest != expected:
        raise VerificationError(
            Reason.SERIALIZATION_REFUSED, f"{name}: got serialization {rest!r}, expected {dict(expected)!r}"
        )


def _check_resources(got: object, expected: list[dict[str, str]], name: str) -> None:
    if not isinstance(got, list) or not all(isinstance(each, dict) for each in got):
        raise VerificationError(Reason.MALFORMED, f"{name}: malformed resources")
    signed = {str(each.get("name")): each for each in got}
    wanted = {each["name"]: each for each in expected}
    for file in sorted(set(signed) ^ set(wanted)):
        if file in signed:
            raise VerificationError(Reason.FILE_MISSING, f"{name}: {file} is signed but not here")
        raise VerificationError(Reason.FILE_UNEXPECTED, f"{name}: {file} is here but not signed")
    for file, resource in wanted.items():
        if signed[file] != resource:
            raise VerificationError(Reason.FILE_ALTERED, f"{name}: {file} does not have the signed digest")
    if got != expected:
        raise VerificationError(Reason.MALFORMED, f"{name}: resources are repeated or out of order")
