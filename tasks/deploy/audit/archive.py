"""One archive that an outsider can check without Assay: ledger, checkpoint, releases, a script, a README.

names = export_archive(workspace, Path("audit.tar"), weights=False)
"""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from infra import atomic
from infra.checkpoints import NAME
from infra.digest import canonical_json, hex_of
from infra.errors import DataError
from infra.ledger import Entry
from infra.signing import manifest as layout
from infra.signing.keys import public_pem
from infra.signing.rotation import retired_keys
from infra.workspace import Workspace

_SCRIPT = Path(__file__).with_name("outsider.py")
_README = """\
# What happened, and why it was allowed

Check all of it with Python 3 and OpenSSL, nothing else:

    python3 check.py

- `ledger.jsonl`: every entry, oldest first. Each line is the exact text (RFC 8785 JSON) whose SHA-256
  the next line carries as `previous`: `printf '%s' "$LINE" | sha256sum` gives it.
- `checkpoint.json`: a signed statement of how long the ledger was and how it ended. Compare its `head`
  with a copy that you were given earlier: the ledger may have grown since, the signed part may not have
  changed.
- `keys/signing.pub`: the key of the installation, `keys/retired/` those that it replaced. Compare them with
  what you trust: this archive cannot vouch for itself. `keys/trusted/`: other keys that may sign releases.
- `decisions/DIGEST.json`: every vote, signed, and the rules that it was given under; entries of the ledger
  name them by the SHA-256 that is their file name. Votes are DSSE envelopes too; the rules list the keys.
- `releases/DIGEST/`: what was served. `release.json` is the manifest, and the directory's name its
  SHA-256. `release.sigstore.json`, `adapter.sig` and `attestations/` are DSSE envelopes in Sigstore
  bundles; `check.py` shows in a few lines how they are checked. One that is signed with a
  certificate it names and leaves to a Sigstore verifier, with the trusted root of your choice.
  `gate-report.json` has every gate with its evidence; `card.html` shows the same to a person.
{weights}
Formats: DSSE v1 (github.com/secure-systems-lab/dsse), in-toto Statement v1, SLSA provenance v1, OpenSSF
Model Signing v1, CycloneDX (`mlbom.cdx.json`).
"""
_WITHOUT = """\
- The adapters' weights are not in here; their digests are in `release.json`, and
  `assay audit export --weights` adds them. The base model is named by digest only.
"""
_WITH = "- The base model is not in here: it is named by digest in `release.json`.\n"


def export_archive(workspace: Workspace, target: Path, *, weights: bool = False) -> list[str]:
    """Write the archive (tar, reproducible for the same state); returns the names in it.

    Raises IntegrityError for a ledger that does not hold, DataError when nothing has happened yet.
    """
    entries = workspace.ledger.intact()
    if not entries:
        raise DataError("there is nothing to export: the ledger is empty", hint="run the lifecycle first")
    # The one that the archive carries has to cover every row that it carries.
    workspace.checkpoints.advance(entries)
    names: list[str] = []
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in _files(workspace, entries, weights=weights):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
            names.append(name)
    atomic.write_bytes(target.absolute(), content.getvalue())
    return names


def _files(workspace: Workspace, entries: list[Entry], *, weights: bool) -> Iterator[tuple[str, bytes]]:
    yield "README.md", _README.format(weights=_WITH if weights else _WITHOUT).encode()
    yield "check.py", _SCRIPT.read_bytes()
    yield "ledger.jsonl", b"".join(canonical_json(_row(entry)) + b"\n" for entry in entries)
    yield "checkpoint.json", (workspace.home / "audit" / NAME).read_bytes()
    yield "keys/signing.pub", (workspace.keys / "signing.pub").read_bytes()
    for key in retired_keys(workspace.keys):
        yield f"keys/retired/{hex_of(key.key_id)}.pub", public_pem(key.key)
    for key in workspace.trust.keys:
        yield f"keys/trusted/{hex_of(key.key_id)}.pub", public_pem(key.key)
    for digest in sorted({digest for entry in entries for digest in _signed(entry)}):
        yield f"decisions/{hex_of(digest)}.json", workspace.store.get_bytes(digest)
    for release in sorted({name for entry in entries for name in _named(entry)}):
        directory = workspace.releases / hex_of(release)
        if not directory.is_dir():
            continue  # a candidate that was blocked has none; `assay audit verify` names one that is missing
        listed = json.loads((directory / layout.MANIFEST).read_bytes())["files"]
        for name in sorted([layout.MANIFEST, layout.BUNDLE, *listed]):
            if weights or not name.endswith(".safetensors"):
                yield f"releases/{directory.name}/{name}", (directory / name).read_bytes()


def _row(entry: Entry) -> dict[str, object]:
    row = {**asdict(entry), "kind": str(entry.kind)}
    del row["digest"]
    return row


def _signed(entry: Entry) -> list[str]:
    """Votes and the rules that they were given under: documents in the store, named by their digest."""
    details = entry.details
    votes = details["votes"] if isinstance(details.get("votes"), list) else []
    named = (*votes, details.get("bundle"), details.get("rules"))
    return [each for each in named if isinstance(each, str) and each.startswith("sha256:")]


def _named(entry: Entry) -> list[str]:
    both = (entry.subject, str(entry.details.get("restores", "")))
    return [each for each in both if each.startswith("sha256:")]
