"""What is done to a packaged release, and the reason for which it is then refused: one line a case."""

import base64
import json
import os
import shutil
import socket
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.digest import digest_bytes
from infra.refusal import Reason
from infra.signing import manifest as layout
from infra.signing.attestations import ATTESTED, attestation_file
from infra.trust import Stage
from tests.integration.tamper.packaged import Change, Packaged

Act = Callable[[Packaged], object]
Case = tuple[str, Act, Reason]

WEIGHTS, CONFIG = "adapter/adapter_model.safetensors", "adapter/adapter_config.json"
SIGNATURE, MANIFEST, BUNDLE = layout.ADAPTER_SIGNATURE, layout.MANIFEST, layout.BUNDLE
GUARD, PROMPT, CARD = layout.GUARD, layout.PROMPT, "card.html"
GATES, SUMMARY = attestation_file(Stage.GATES), attestation_file(Stage.VERIFICATION)
OTHER = digest_bytes(b"other")
PICKLE = b"\x80\x04\x95cos\nsystem"
EVERY_FILE = (
    "MODEL_CARD.md",
    layout.ACCESS,
    SIGNATURE,
    CONFIG,
    WEIGHTS,
    *(attestation_file(stage) for stage in ATTESTED),
    CARD,
    "card.json",
    "evidence.json",
    layout.GATE_REPORT,
    GUARD,
    layout.MLBOM,
    PROMPT,
    layout.REQUIREMENTS,
    layout.TRUST,
)


def _socket(path: Path) -> None:
    before = os.getcwd()
    os.chdir(path.parent)  # socket paths are short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


def _envelope(**changes: Any) -> Change:
    return lambda document: document["dsseEnvelope"].update(changes)


def _signature(**changes: Any) -> Change:
    return lambda document: document["dsseEnvelope"]["signatures"][0].update(changes)


def _material(**changes: Any) -> Change:
    return lambda document: document["verificationMaterial"].update(changes)


def _certificate(document: dict[str, Any]) -> None:
    document["verificationMaterial"] = {"certificate": {"rawBytes": "AAAA"}, "tlogEntries": []}


def _payload(document: dict[str, Any]) -> None:
    envelope = document["dsseEnvelope"]
    content = json.loads(base64.b64decode(envelope["payload"]))
    content["predicate"] = {"format": "other"}
    envelope["payload"] = base64.b64encode(json.dumps(content).encode()).decode()


def _serialization(**changes: Any) -> Change:
    return lambda content: content["predicate"]["serialization"].update(changes)


def _resource(**changes: Any) -> Change:
    return lambda content: content["predicate"]["resources"][0].update(changes)


def _predicate(**changes: Any) -> Change:
    return lambda content: content["predicate"].update(changes)


def _about_another(subject: str) -> Act:
    def change(content: dict[str, Any]) -> None:
        others = [each for each in content["subject"] if each["name"] != subject]
        content["subject"] = [*others, {"name": subject, "digest": {"sha256": "0" * 64}}]

    return lambda p: p.restate(Stage.PROVENANCE, change)


def _typed(predicate_type: str) -> Change:
    return lambda content: content.update(predicateType=predicate_type)


def _rooted(content: dict[str, Any]) -> None:
    content["subject"][0]["digest"].update(sha256="0" * 64)


def _oms(change: Change) -> Act:
    return lambda p: p.sign_adapter(change=change)


def _put(name: str, data: bytes) -> Act:
    return lambda p: p.put(name, data)


def _gates(change: Change) -> Act:
    return lambda p: p.restate(Stage.GATES, change)


def _summary(change: Change) -> Act:
    return lambda p: p.restate(Stage.VERIFICATION, change)


def _only_the_other(stage: str) -> Act:
    return lambda p: p.stage(stage, signers=[{"key": p.other.key_id}])


def _signed_but_removed(p: Packaged) -> None:
    p.put("adapter/a.txt", b"")
    p.remove("adapter/a.txt")
    p.seal()


def _too_old(p: Packaged) -> None:
    p.policed(max_age_days=1)
    p.now = datetime(2099, 1, 1, tzinfo=UTC)


def _revoked_unsigned(p: Packaged) -> None:
    p.revoke(releases=[p.manifest.digest])
    p.remove(BUNDLE)


def _revoked_and_altered(p: Packaged) -> None:
    p.revoke(keys=[p.keys.key_id])
    p.bundle(BUNDLE, _payload)


def _older_release_as_newer(p: Packaged) -> None:
    """The newest sequence that the verifier saw is one later."""
    p.expecting(at_least_sequence=p.manifest.sequence + 1)


def _content_of_an_older_release(p: Packaged) -> None:
    old, name = p.home / "old", p.release.name
    shutil.copytree(p.release, old)
    p.seal(change=lambda document: document.update(sequence=5))
    newer = p.release
    shutil.rmtree(newer)
    old.rename(newer)
    assert newer.name != name


def _signature_of_another_release(p: Packaged) -> None:
    bundle = (p.release / BUNDLE).read_bytes()
    p.seal(change=lambda document: document.update(sequence=5))
    p.write(BUNDLE, bundle)


def _attestation_of_another_stage(p: Packaged) -> None:
    p.write(GATES, (p.release / attestation_file(Stage.PROVENANCE)).read_bytes())
    p.seal()


def _linked_release(p: Packaged) -> None:
    elsewhere = p.release.rename(p.home / "elsewhere")
    p.release.symlink_to(elsewhere)


def _linked_base(p: Packaged) -> None:
    base = p.base
    elsewhere = base.rename(p.home / "elsewhere")
    base.symlink_to(elsewhere)


def _base_file(name: str, act: Callable[[Path], object]) -> Act:
    return lambda p: act(p.base / name)


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _hard_linked(path: Path) -> None:
    os.link(path, path.parents[3] / "second-name")


def _written(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _without_adapter(p: Packaged) -> None:
    shutil.rmtree(p.release / "adapter")
    p.seal()


def _nested(p: Packaged) -> None:
    p.write(BUNDLE, b'{"a":' * 100_000 + b"1" + b"}" * 100_000)


def _with(**changes: Any) -> Act:
    return lambda p: p.seal(change=lambda document: document.update(changes))


def _listing(name: str) -> Act:
    return lambda p: p.seal(change=lambda document: document["files"].update({name: OTHER}))


def _base_files(p: Packaged) -> None:
    p.seal(change=lambda document: document["base"]["files"].update({"config.json": OTHER}))


def _noncanonical(p: Packaged) -> None:
    p.sign_manifest((p.release / MANIFEST).read_bytes() + b"\n")


def _repeated_field(p: Packaged) -> None:
    data = (p.release / MANIFEST).read_bytes()
    p.sign_manifest(data[:-1] + b',"verdict":"pass"}')


def _another_predicate(p: Packaged) -> None:
    p.sign_manifest((p.release / MANIFEST).read_bytes(), predicateType="urn:assay:waiver:v1")


def _old_statement(p: Packaged) -> None:
    p.sign_manifest((p.release / MANIFEST).read_bytes(), _type="https://in-toto.io/Statement/v0.1")


def _no_subject(p: Packaged) -> None:
    p.sign_manifest((p.release / MANIFEST).read_bytes(), subject=[])


def _absent_attestation(stage: Stage) -> Act:
    return lambda p: (p.remove(attestation_file(stage)), p.seal())


def _extra_attestation(p: Packaged) -> None:
    p.write("attestations/more.sigstore.json", (p.release / GATES).read_bytes())
    p.seal()


def _reused_summary(p: Packaged) -> None:
    """A summary of other attestations than those that are there: they are all signed anew."""
    summary = (p.release / SUMMARY).read_bytes()
    p.attest()
    p.write(SUMMARY, summary)
    p.seal()


def _revoke_part(part: Callable[[Packaged], str]) -> Act:
    return lambda p: p.revoke(releases=[part(p)])


def _revoked_and_forgotten(p: Packaged) -> None:
    """The revoked key is not among the known ones any more; its bundle still claims it."""
    p.revoke(keys=[p.keys.key_id])
    p.keys = p.other


def _other_policy(p: Packaged) -> None:
    p.policed(hashes=["sha256", "blake3"], succeeds=[])


# fmt: off
UNSIGNED: tuple[Case, ...] = (
    *((f"{name}: a flipped bit", lambda p, name=name: p.flip(name), Reason.FILE_ALTERED) for name in EVERY_FILE),
    *((f"{name}: removed", lambda p, name=name: p.remove(name), Reason.FILE_MISSING) for name in EVERY_FILE),
    ("weights: a flipped bit in the middle", lambda p: p.flip(WEIGHTS, 20), Reason.FILE_ALTERED),
    ("weights: truncated", lambda p: os.truncate(p.release / WEIGHTS, 20), Reason.FILE_ALTERED),
    ("weights: appended", lambda p: p.append(WEIGHTS, b"\0"), Reason.FILE_ALTERED),
    ("weights: emptied", lambda p: p.write(WEIGHTS, b""), Reason.FILE_ALTERED),
    ("weights: renamed", lambda p: p.move(WEIGHTS, "adapter/model.safetensors"), Reason.FILE_MISSING),
    ("weights: renamed by case", lambda p: p.move(WEIGHTS, WEIGHTS.upper()), Reason.FILE_MISSING),
    ("weights: into a directory", lambda p: p.move(WEIGHTS, "adapter/a/w.safetensors"), Reason.FILE_MISSING),
    ("files: swapped", lambda p: p.swap(GUARD, layout.ACCESS), Reason.FILE_ALTERED),
    ("added: a program", lambda p: p.write("evil.py"), Reason.FILE_UNEXPECTED),
    ("added: an empty file", lambda p: p.write("adapter/__init__.py", b""), Reason.FILE_UNEXPECTED),
    ("added: a hidden file", lambda p: p.write("adapter/.hidden"), Reason.FILE_UNEXPECTED),
    ("added: an empty directory", lambda p: (p.release / "adapter/a").mkdir(), Reason.FILE_UNEXPECTED),
    ("added: .git", lambda p: p.write(".git/config"), Reason.GIT_METADATA),
    ("added: .github", lambda p: p.write(".github/x.py"), Reason.GIT_METADATA),
    ("added: .gitattributes", lambda p: p.write(".gitattributes"), Reason.GIT_METADATA),
    ("added: .gitignore", lambda p: p.write("adapter/.gitignore"), Reason.GIT_METADATA),
    ("added: a git directory in the adapter", lambda p: p.write("adapter/.git/x"), Reason.GIT_METADATA),
    ("added: a second name by case", lambda p: p.write("Card.html"), Reason.NAME_COLLISION),
    ("added: a name not in NFC", lambda p: p.write("cafe\u0301"), Reason.NAME_INVALID),
    ("added: a name with a line break", lambda p: p.write("a\nb"), Reason.NAME_INVALID),
    ("link: weights", lambda p: p.outside(WEIGHTS, lambda a, b: b.symlink_to(a)), Reason.LINK),
    ("link: manifest", lambda p: p.outside(MANIFEST, lambda a, b: b.symlink_to(a)), Reason.LINK),
    ("link: a directory", lambda p: p.outside("adapter", lambda a, b: b.symlink_to(a)), Reason.LINK),
    ("link: leading nowhere", lambda p: p.special(CARD, lambda f: f.symlink_to("nowhere")), Reason.LINK),
    ("link: leading out", lambda p: p.special(GUARD, lambda f: f.symlink_to("/etc/hosts")), Reason.LINK),
    ("link: added", lambda p: (p.release / "more").symlink_to(CARD), Reason.LINK),
    ("link: the release", _linked_release, Reason.NOT_A_RELEASE),
    ("hard link: weights", lambda p: p.outside(WEIGHTS, os.link), Reason.HARD_LINK),
    ("hard link: guard", lambda p: p.outside(GUARD, os.link), Reason.HARD_LINK),
    ("hard link: manifest", lambda p: p.outside(MANIFEST, os.link), Reason.HARD_LINK),
    ("pipe: a card", lambda p: p.special(CARD, os.mkfifo), Reason.SPECIAL_FILE),
    ("pipe: the manifest", lambda p: p.special(MANIFEST, os.mkfifo), Reason.SPECIAL_FILE),
    ("pipe: added", lambda p: p.special("pipe", os.mkfifo), Reason.SPECIAL_FILE),
    ("socket: guard", lambda p: p.special(GUARD, _socket), Reason.SPECIAL_FILE),
    ("socket: the bundle", lambda p: p.special(BUNDLE, _socket), Reason.SPECIAL_FILE),
    ("mode: everybody may write a file", lambda p: (p.release / CARD).chmod(0o666), Reason.MODE_UNSAFE),
    ("mode: everybody may write a directory", lambda p: (p.release / "adapter").chmod(0o777), Reason.MODE_UNSAFE),
    ("mode: everybody may write the release", lambda p: p.release.chmod(0o777), Reason.MODE_UNSAFE),
    ("mode: a program", lambda p: (p.release / WEIGHTS).chmod(0o700), Reason.MODE_UNSAFE),
    ("mode: set-user-id", lambda p: (p.release / CARD).chmod(0o600 | stat.S_ISUID), Reason.MODE_UNSAFE),
    ("release: gone", lambda p: shutil.rmtree(p.release), Reason.NOT_A_RELEASE),
    ("release: another name", lambda p: p.present_as(OTHER), Reason.PRESENTED_AS_ANOTHER),
    ("replay: an older release in the place of a newer", _content_of_an_older_release, Reason.PRESENTED_AS_ANOTHER),
    ("replay: an older sequence", _older_release_as_newer, Reason.REPLAYED_SEQUENCE),
    ("replay: another project", lambda p: p.expecting(project="other"), Reason.PRESENTED_AS_ANOTHER),
    ("replay: another release", lambda p: p.expecting(release=OTHER), Reason.PRESENTED_AS_ANOTHER),
    ("manifest: removed", lambda p: p.remove(MANIFEST), Reason.FILE_MISSING),
    ("manifest: edited", lambda p: p.edit_manifest(project="other"), Reason.MANIFEST_ALTERED),
    ("manifest: a flipped bit", lambda p: p.flip(MANIFEST, 40), Reason.MANIFEST_ALTERED),
    ("manifest: another one's signature", _signature_of_another_release, Reason.MANIFEST_ALTERED),
    ("manifest: endless", lambda p: p.grow(MANIFEST), Reason.TOO_LARGE),
    ("bundle: removed", lambda p: p.remove(BUNDLE), Reason.FILE_MISSING),
    ("bundle: empty", lambda p: p.write(BUNDLE, b""), Reason.MALFORMED),
    ("bundle: garbage", lambda p: p.write(BUNDLE, b"\xff\xfe\0"), Reason.MALFORMED),
    ("bundle: a list", lambda p: p.write(BUNDLE, b"[]"), Reason.MALFORMED),
    ("bundle: endless", lambda p: p.grow(BUNDLE), Reason.TOO_LARGE),
    ("bundle: nested without end", _nested, Reason.TOO_LARGE),
    ("bundle: payload", lambda p: p.bundle(BUNDLE, _payload), Reason.SIGNATURE_INVALID),
    ("bundle: signature", lambda p: p.bundle(BUNDLE, _signature(sig="MAAA")), Reason.SIGNATURE_INVALID),
    ("bundle: no signature", lambda p: p.bundle(BUNDLE, _envelope(signatures=[])), Reason.MALFORMED),
    ("bundle: an empty signature", lambda p: p.bundle(BUNDLE, _signature(sig="")), Reason.MALFORMED),
    ("bundle: key id of another key", lambda p: p.bundle(BUNDLE, _signature(keyid=OTHER)), Reason.SIGNER_UNTRUSTED),
    ("bundle: no hint", lambda p: p.bundle(BUNDLE, _material(publicKey={})), Reason.MALFORMED),
    ("bundle: a certificate", lambda p: p.bundle(BUNDLE, _certificate), Reason.SIGNER_UNTRUSTED),
    ("bundle: a log entry", lambda p: p.bundle(BUNDLE, _material(tlogEntries=[{}])), Reason.MALFORMED),
    ("bundle: payload type", lambda p: p.bundle(BUNDLE, _envelope(payloadType="text/x")), Reason.FORMAT_UNKNOWN),
    ("bundle: media type", lambda p: p.bundle(BUNDLE, lambda d: d.update(mediaType="v0.2")), Reason.FORMAT_UNKNOWN),
    ("base: gone", lambda p: shutil.rmtree(p.base), Reason.BASE_MISSING),
    ("base: a link", _linked_base, Reason.BASE_MISSING),
    ("base: a flipped bit", _base_file("model.safetensors", _flipped), Reason.FILE_ALTERED),
    ("base: configuration replaced", _base_file("config.json", _written(b"{}")), Reason.FILE_ALTERED),
    ("base: removed", _base_file("config.json", lambda f: f.unlink()), Reason.FILE_MISSING),
    ("base: added", _base_file("modeling.py", _written(b"import os")), Reason.FILE_UNEXPECTED),
    ("base: git files", _base_file(".gitattributes", _written(b"")), Reason.GIT_METADATA),
    ("base: hard link", _base_file("model.safetensors", _hard_linked), Reason.HARD_LINK),
    ("base: everybody may write", _base_file("config.json", lambda f: f.chmod(0o666)), Reason.MODE_UNSAFE),
    ("time: expired", lambda p: setattr(p, "now", datetime(2100, 1, 1, tzinfo=UTC)), Reason.EXPIRED),
    ("time: not yet made", lambda p: setattr(p, "now", datetime(2020, 1, 1, tzinfo=UTC)), Reason.NOT_YET_VALID),
)
# fmt: on
"""What anybody can do who can write to the disk, or lies about the time."""

# fmt: off
SIGNED: tuple[Case, ...] = (
    ("signer: another key for the manifest", lambda p: p.seal(keys=p.other), Reason.SIGNER_UNTRUSTED),
    ("signer: another key for the weights", lambda p: p.sign_adapter(keys=p.other), Reason.SIGNER_UNTRUSTED),
    ("signer: another key for the gates", lambda p: p.restate(Stage.GATES, len, keys=p.other), Reason.SIGNER_UNTRUSTED),
    ("format: of the past", _with(format="assay.release/v1"), Reason.FORMAT_UNKNOWN),
    ("manifest: an unknown field", _with(more=1), Reason.MALFORMED),
    ("manifest: sequence 0", _with(sequence=0), Reason.MALFORMED),
    ("manifest: no canonical form", _noncanonical, Reason.MALFORMED),
    ("manifest: a field twice", _repeated_field, Reason.MALFORMED),
    ("manifest: signed as something else", _another_predicate, Reason.WRONG_STAGE),
    ("manifest: statement of an old version", _old_statement, Reason.FORMAT_UNKNOWN),
    ("manifest: no subject", _no_subject, Reason.WRONG_SUBJECT),
    ("manifest: a climbing name", _listing("../secret"), Reason.NAME_INVALID),
    ("manifest: an absolute name", _listing("/etc/passwd"), Reason.NAME_INVALID),
    ("manifest: a name not in NFC", _listing("cafe\u0301"), Reason.NAME_INVALID),
    ("manifest: a git name", _listing("adapter/.git/config"), Reason.GIT_METADATA),
    ("manifest: names that differ by case", _listing("CARD.html"), Reason.NAME_COLLISION),
    ("manifest: its own digest", _listing(MANIFEST), Reason.BINDING_BROKEN),
    ("manifest: another guard", _with(guard=OTHER), Reason.BINDING_BROKEN),
    ("manifest: another adapter", _with(adapter=OTHER), Reason.BINDING_BROKEN),
    ("manifest: another policy", _with(trust=OTHER), Reason.BINDING_BROKEN),
    ("manifest: base files", _base_files, Reason.BINDING_BROKEN),
    ("manifest: a verdict that is no pass", _with(verdict="inconclusive"), Reason.VERDICT_REFUSED),
    ("gates: report of another unit", lambda p: (p.write(layout.GATE_REPORT), p.seal()), Reason.VERDICT_REFUSED),
    ("prompt: no canonical form", lambda p: (p.append(PROMPT, b"\n"), p.seal()), Reason.MALFORMED),
    ("adapter: gone", _without_adapter, Reason.FILE_MISSING),
    ("adapter: altered but not signed", lambda p: (p.write(CONFIG), p.seal()), Reason.FILE_ALTERED),
    ("adapter: added but not signed", lambda p: (p.write("adapter/a.txt"), p.seal()), Reason.FILE_UNEXPECTED),
    ("adapter: signed but removed", _signed_but_removed, Reason.FILE_MISSING),
    ("adapter: a pickle by name", _put("adapter/adapter_model.bin", PICKLE), Reason.TYPE_REFUSED),
    ("adapter: a program", _put("adapter/modeling.py", b"import os"), Reason.TYPE_REFUSED),
    ("adapter: a pickle as weights", _put("adapter/w.safetensors", PICKLE), Reason.CONTENT_REFUSED),
    ("adapter: a pickle as text", _put("adapter/vocab.txt", PICKLE), Reason.CONTENT_REFUSED),
    ("adapter: a zip as JSON", _put("adapter/v.json", b"PK\x03\x04rest"), Reason.CONTENT_REFUSED),
    ("adapter: remote code", _put("adapter/c.json", b'{"auto_map": {"a": "b"}}'), Reason.CONTENT_REFUSED),
    ("adapter: remote code, nested", _put("adapter/c.json", b'{"a": [{"auto_map": {"a": "b"}}]}'), Reason.CONTENT_REFUSED),
    ("adapter: trusts remote code", _put("adapter/c.json", b'{"trust_remote_code": true}'), Reason.CONTENT_REFUSED),
    ("adapter: a field twice", _put("adapter/c.json", b'{"a": 1, "a": 2}'), Reason.MALFORMED),
    ("adapter: nested without end", _put("adapter/c.json", b"[" * 100_000), Reason.TOO_LARGE),
    ("adapter: a reaching template", _put("adapter/t.jinja", b"{{x.__class__ }}"), Reason.CONTENT_REFUSED),
    ("adapter: bytes behind the weights", lambda p: (p.append(WEIGHTS, PICKLE), p.sign_adapter()), Reason.CONTENT_REFUSED),
    ("base: a pickle", lambda p: p.rebase("pytorch_model.bin", PICKLE), Reason.TYPE_REFUSED),
    ("base: remote code", lambda p: p.rebase("config.json", b'{"auto_map": {"a": "b"}}'), Reason.CONTENT_REFUSED),
    ("OMS: weights left out", _oms(_serialization(ignore_paths=["adapter_model.safetensors"])), Reason.IGNORE_PATHS),
    ("OMS: ignores no list", _oms(_serialization(ignore_paths="a")), Reason.IGNORE_PATHS),
    ("OMS: the v0.1 predicate", _oms(_typed("https://model_signing/Digests/v0.1")), Reason.PREDICATE_LEGACY),
    ("OMS: another predicate", _oms(_typed("urn:x")), Reason.WRONG_STAGE),
    ("OMS: shards", _oms(_serialization(method="shards")), Reason.SERIALIZATION_REFUSED),
    ("OMS: links", _oms(_serialization(allow_symlinks=True)), Reason.SERIALIZATION_REFUSED),
    ("OMS: a hash that is not allowed", _oms(_serialization(hash_type="blake3")), Reason.HASH_REFUSED),
    ("OMS: another digest", _oms(_resource(digest="0" * 64)), Reason.FILE_ALTERED),
    ("OMS: a climbing name", _oms(_resource(name="../secret")), Reason.FILE_MISSING),
    ("OMS: no files", _oms(_predicate(resources=[])), Reason.FILE_UNEXPECTED),
    ("OMS: another root", _oms(_rooted), Reason.WRONG_SUBJECT),
    ("attestation: about another unit", lambda p: p.attest(unit=OTHER), Reason.ATTESTATION_FOREIGN),
    ("attestation: about another adapter", lambda p: p.attest(root=OTHER), Reason.ATTESTATION_FOREIGN),
    *((f"attestation: about another {subject}", _about_another(subject), Reason.ATTESTATION_FOREIGN) for subject in ("adapter-tree", WEIGHTS, "x")),
    ("attestation: of another stage", _attestation_of_another_stage, Reason.WRONG_STAGE),
    ("attestation: of no stage", _extra_attestation, Reason.WRONG_STAGE),
    ("attestation: no subject", _gates(lambda c: c.update(subject=[])), Reason.WRONG_SUBJECT),
    ("attestation: no predicate", _gates(lambda c: c.update(predicate=None)), Reason.MALFORMED),
    *((f"attestation: no {stage}", _absent_attestation(stage), Reason.ATTESTATION_MISSING) for stage in ATTESTED),
    ("gates: failed", _gates(_predicate(result="FAILED")), Reason.VERDICT_REFUSED),
    ("gates: warned", _gates(_predicate(result="WARNED")), Reason.VERDICT_REFUSED),
    ("summary: failed", _summary(_predicate(verificationResult="FAILED")), Reason.VERDICT_REFUSED),
    ("summary: another policy", _summary(_predicate(policy={"digest": {}})), Reason.POLICY_MISMATCH),
    ("summary: of other attestations", _reused_summary, Reason.ATTESTATION_FOREIGN),
    ("summary: of nothing", _summary(_predicate(inputAttestations=[])), Reason.ATTESTATION_FOREIGN),
)
# fmt: on
"""What only the signer can do: a signature does not excuse it."""

# fmt: off
POLICY: tuple[Case, ...] = (
    ("revoked: key", lambda p: p.revoke(keys=[p.keys.key_id]), Reason.SIGNER_REVOKED),
    ("revoked: key that is not known any more", _revoked_and_forgotten, Reason.SIGNER_REVOKED),
    ("revoked: key, and the bundle is altered", _revoked_and_altered, Reason.SIGNER_REVOKED),
    ("revoked: release", _revoke_part(lambda p: p.manifest.digest), Reason.RELEASE_REVOKED),
    ("revoked: release, and it is not signed", _revoked_unsigned, Reason.RELEASE_REVOKED),
    ("revoked: unit", _revoke_part(lambda p: p.manifest.unit), Reason.RELEASE_REVOKED),
    ("revoked: base", _revoke_part(lambda p: p.manifest.base.digest), Reason.RELEASE_REVOKED),
    ("revoked: adapter", _revoke_part(lambda p: p.manifest.adapter), Reason.RELEASE_REVOKED),
    ("revoked: dataset", _revoke_part(lambda p: p.manifest.dataset), Reason.RELEASE_REVOKED),
    ("revoked: policy that it was made under", _revoke_part(lambda p: p.manifest.trust), Reason.RELEASE_REVOKED),
    ("policy: another one", _other_policy, Reason.POLICY_MISMATCH),
    ("policy: another key for releases", _only_the_other("release"), Reason.SIGNER_UNTRUSTED),
    ("policy: another key for weights", _only_the_other("weights"), Reason.SIGNER_UNTRUSTED),
    ("policy: another key for gates", _only_the_other("gates"), Reason.SIGNER_UNTRUSTED),
    ("policy: gates are not the trainer's", lambda p: p.stage("gates", not_same_as=["provenance"]), Reason.SAME_SIGNER),
    ("policy: release is not the gates' signer's", lambda p: p.stage("release", not_same_as=["gates"]), Reason.SAME_SIGNER),
    ("policy: too old", _too_old, Reason.TOO_OLD),
)
# fmt: on
"""What the verifier's policy says against a release that is otherwise good."""

CASES = (*UNSIGNED, *SIGNED, *POLICY)
