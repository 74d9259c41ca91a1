"""Check an exported audit archive with Python's standard library and OpenSSL alone: python3 check.py

It stands beside README.md in the archive and imports nothing of what it checks. Exit code 0: all holds.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOTHING = "sha256:" + "0" * 64
OWN = ("signing.pub", "retired/*.pub")
"""The installation's keys."""
ALL = (*OWN, "trusted/*.pub")
"""And those that its trust policy names for releases."""


class WrongError(Exception):
    """Raised when something does not hold."""


def digest(data: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def expect(what: str, got: object, wanted: object) -> None:
    """Raise unless both are the same."""
    if got != wanted:
        raise WrongError(f"{what}: got {got}, expected {wanted}")


def ledger() -> list[str]:
    """Each line of ledger.jsonl is the canonical JSON that its digest covers, and names the digest before."""
    heads = [NOTHING]
    for number, line in enumerate((HERE / "ledger.jsonl").read_bytes().splitlines(), start=1):
        row = json.loads(line)
        expect(f"ledger row {number}: number", row["seq"], number)
        expect(f"ledger row {number}: previous", row["previous"], heads[-1])
        heads.append(digest(line))
    return heads


def has_certificate(bundle: Path) -> bool:
    """Whether an identity signed, by a certificate: OpenSSL alone cannot tell whether it was good then."""
    return "certificate" in json.loads(bundle.read_bytes())["verificationMaterial"]


def statement(bundle: Path, known: tuple[str, ...]) -> dict[str, Any]:
    """The in-toto statement in a DSSE bundle, its signature checked by OpenSSL with one of the known keys."""
    envelope = json.loads(bundle.read_bytes())["dsseEnvelope"]
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    with tempfile.TemporaryDirectory() as directory:
        data, signature = Path(directory, "signed"), Path(directory, "signature")
        data.write_bytes(signed)
        signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        keys = [key for pattern in known for key in sorted((HERE / "keys").glob(pattern))]
        if not any(verifies(key, data, signature) for key in keys):
            raise WrongError(f"{bundle.relative_to(HERE)}: signed by none of the keys in keys/")
    said: dict[str, Any] = json.loads(payload)
    return said


def verifies(key: Path, data: Path, signature: Path) -> bool:
    """Whether OpenSSL accepts the signature."""
    command = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature), str(data)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def checkpoint(heads: list[str]) -> dict[str, Any]:
    """The checkpoint names a row of this ledger: no tail was cut off after it was signed."""
    said: dict[str, Any] = statement(HERE / "checkpoint.json", OWN)["predicate"]
    if said["size"] >= len(heads):
        raise WrongError(f"ledger: {len(heads) - 1} rows, {said['size']} were signed: its tail is missing")
    expect("checkpoint: head", heads[said["size"]], said["head"])
    return said


def decisions() -> tuple[int, int]:
    """Every vote that the ledger names is here, unaltered; those of this installation's key are verified."""
    named = set()
    for line in (HERE / "ledger.jsonl").read_bytes().splitlines():
        details = json.loads(line)["details"]
        named |= {*details.get("votes", ()), *([details["bundle"]] if "bundle" in details else ())}
    signed = 0
    for name in sorted(named):
        file = HERE / "decisions" / f"{name.removeprefix('sha256:')}.json"
        expect(f"decisions/{file.name}", digest(file.read_bytes()), name)
        envelope = json.loads(file.read_bytes())["dsseEnvelope"]
        method = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["method"]
        if method in ("auto", "totp"):
            statement(file, OWN)
            signed += 1
    return len(named), signed


def release(directory: Path) -> tuple[list[str], list[str]]:
    """Name, signatures and every file of one release.

    Returns the files whose bytes are not in the archive, and the bundles that are signed with certificates.
    """
    manifest_bytes = (directory / "release.json").read_bytes()
    expect(f"releases/{directory.name}/release.json", digest(manifest_bytes), "sha256:" + directory.name)
    bundles = [directory / "release.sigstore.json", directory / "adapter.sig"]
    bundles += sorted((directory / "attestations").glob("*.json"))
    certified = [bundle for bundle in bundles if has_certificate(bundle)]
    said = {bundle: statement(bundle, ALL) for bundle in bundles if bundle not in certified}
    if (signed := said.get(bundles[0])) is not None:
        subject = signed["subject"][0]["digest"]["sha256"]
        expect(f"releases/{directory.name}: subject", subject, directory.name)
    absent = []
    for name, wanted in sorted(json.loads(manifest_bytes)["files"].items()):
        if (directory / name).exists():
            expect(f"releases/{directory.name}/{name}", digest((directory / name).read_bytes()), wanted)
        else:
            absent.append(name)
    return absent, [bundle.name for bundle in certified]


def main() -> int:
    """Check everything and say what was seen."""
    try:
        heads = ledger()
        print(f"ledger: {len(heads) - 1} rows, chain intact")
        said = checkpoint(heads)
        print(f"checkpoint: {said['size']} rows signed at {said['time']}")
        count, ours = decisions()
        print(f"decisions: {count} signed votes, unaltered; {ours} by the installation's key, verified")
        certified = 0
        for directory in sorted((HERE / "releases").glob("*")):
            absent, open_bundles = release(directory)
            certified += len(open_bundles)
            left = f"; not in this archive: {', '.join(absent)}" if absent else ""
            if open_bundles:
                left += f"; NOT CHECKED, signed with a certificate: {', '.join(open_bundles)}"
            print(f"release {directory.name[:12]}: name, files and signatures hold{left}")
    except (WrongError, OSError, ValueError, KeyError, IndexError, TypeError) as error:
        print(f"WRONG: {error}", file=sys.stderr)
        return 1
    if certified:
        print(f"all the rest holds; check {certified} bundles with a Sigstore verifier: see README.md")
    else:
        print("everything holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
