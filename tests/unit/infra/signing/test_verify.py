"""What must be refused, by name of the file; then what is accepted, and what it hands out."""

import gc
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_bytes, digest_manifest, hex_of, tree_manifest
from infra.errors import IntegrityError
from infra.signing import manifest as layout
from infra.signing import read_part, verify_manifest, verify_release
from infra.signing.dsse import sign_statement, statement
from infra.signing.keys import create_key, load_private_key
from infra.signing.oms import root_digest
from infra.signing.sealed import CAN_SEAL, seal_tree
from infra.signing.verify import VerifiedRelease
from tests.unit.infra.signing.conftest import UNIT, World, attest, publish, write_files


def refuse(world: World, match: str, **options: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        verify_release(world.release, trusted_keys=world.trusted, store=world.store, **options)


def flip(path: Path, position: int = -1) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


EVERY_FILE = [
    "adapter/adapter_config.json",
    "adapter/adapter_model.safetensors",
    "adapter.sig",
    "attestations/gates.sigstore.json",
    "prompts/prompt.json",
    "guard/guard.yaml",
    "access/access.yaml",
    "gate-report.json",
    "card.html",
]


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_flipped_byte_is_refused_by_name(world: World, name: str) -> None:
    assert set(EVERY_FILE) == set(world.manifest.files)
    flip(world.release / name)
    refuse(world, f"{name}: altered")


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_missing_file_is_refused_by_name(world: World, name: str) -> None:
    (world.release / name).unlink()
    refuse(world, f"{name}: missing")


@pytest.mark.parametrize("name", [layout.MANIFEST, layout.BUNDLE])
def test_a_flipped_byte_anywhere_in_the_signed_manifest_is_refused(world: World, name: str) -> None:
    path = world.release / name
    good = path.read_bytes()
    positions = {*range(0, len(good), 7), *range(len(good) - 260, len(good) - 1)}
    for position in sorted(positions):
        flip(path, position)
        refuse(world, "release")
        path.write_bytes(good)


@pytest.mark.parametrize("name", [layout.MANIFEST, layout.BUNDLE])
def test_a_release_without_its_manifest_or_signature_is_refused(world: World, name: str) -> None:
    (world.release / name).unlink()
    refuse(world, f"{name}: missing")


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"]
)
def test_a_flipped_byte_in_the_base_is_refused_by_name(world: World, name: str) -> None:
    flip(world.base / name)
    refuse(world, f"base/{name}: altered")


@pytest.mark.parametrize(
    "name",
    [
        "evil.py",
        "adapter/extra.json",
        "adapter/.hidden",
        "base/.gitattributes",
        ".github/x.py",
        ".git/config",
    ],
)
def test_an_extra_file_is_refused_by_name(world: World, name: str) -> None:
    write_files(world.release, {name: b""})
    refuse(world, f"{name.split('/x')[0].split('/config')[0]}.*(not expected|git files)")


def test_an_extra_file_in_the_base_is_refused(world: World) -> None:
    world.base.chmod(0o700)
    (world.base / "modeling.py").write_text("print()")
    refuse(world, "base/modeling.py: not expected here")


def test_a_missing_file_or_tree_of_the_base_is_refused(world: World) -> None:
    world.base.chmod(0o700)
    (world.base / "config.json").unlink()
    refuse(world, "base/config.json: missing")
    shutil.rmtree(world.base)
    refuse(world, "base tiny: the store has no tree")


def test_an_extra_empty_directory_is_refused(world: World) -> None:
    (world.release / "adapter" / "empty").mkdir()
    refuse(world, "adapter/empty/: not expected here")


@pytest.mark.parametrize(
    "name", ["adapter/adapter_model.safetensors", "guard/guard.yaml", "card.html", "release.json"]
)
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_are_refused_even_to_the_right_bytes(
    world: World, name: str, link: Callable[[Path, Path], None]
) -> None:
    outside = world.root / "outside"
    (world.release / name).rename(outside)
    link(outside, world.release / name)
    refuse(world, f"{name}: .*links are refused")


def test_a_linked_directory_or_release_is_refused(world: World) -> None:
    (world.release / "adapter").rename(world.root / "adapter")
    (world.release / "adapter").symlink_to(world.root / "adapter")
    refuse(world, "adapter: symbolic links are refused")


def test_a_link_to_a_release_is_refused(world: World) -> None:
    elsewhere = world.release.rename(world.root / world.release.name)
    world.release.symlink_to(elsewhere)
    refuse(world, "not a release directory")


def test_a_pipe_or_socket_does_not_hang_the_verifier(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    card = world.release / "card.html"
    card.unlink()
    os.mkfifo(card)
    refuse(world, "card.html: not a regular file")
    card.unlink()
    guard = world.release / layout.GUARD
    guard.unlink()
    monkeypatch.chdir(guard.parent)  # socket paths are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(guard.name)
        refuse(world, "guard")


def test_swapped_files_are_refused(world: World) -> None:
    guard, access = world.release / layout.GUARD, world.release / layout.ACCESS
    one, two = guard.read_bytes(), access.read_bytes()
    guard.write_bytes(two)
    access.write_bytes(one)
    refuse(world, "guard/guard.yaml: altered")


def test_another_key_is_refused(world: World) -> None:
    other = create_key(world.root / "other")
    refuse(replace(world, keys=replace(world.keys, public=other.public)), "key that is not trusted")
    with pytest.raises(IntegrityError, match="no trusted key"):
        verify_release(world.release, trusted_keys=[], store=world.store)


def test_a_release_signed_again_by_another_key_is_refused(world: World) -> None:
    other = create_key(world.root / "other")
    forged = replace(world, keys=other).resign_adapter().seal()
    refuse(replace(forged, keys=world.keys), "release.sigstore.json: signed by a key that is not trusted")


def test_a_foreign_adapter_signature_is_refused(world: World) -> None:
    other = create_key(world.root / "other")
    replace(world, keys=other).resign_adapter()
    refuse(world.seal(), "adapter.sig: signed by a key that is not trusted")


def test_an_adapter_that_the_signature_does_not_cover_is_refused(world: World) -> None:
    (world.release / "adapter" / "adapter_config.json").write_text('{"r": 64}')
    refuse(world.seal(), r"adapter\.sig: adapter_config\.json does not have the signed digest")


def test_an_unsigned_extra_adapter_file_is_refused(world: World) -> None:
    write_files(world.release, {"adapter/notes.txt": b"x"})
    refuse(world.seal(), r"adapter\.sig: notes\.txt is here but not signed")


def test_an_attestation_about_another_unit_is_refused(world: World) -> None:
    root = root_digest(tree_manifest(world.release / "adapter"))
    attest(world.release, root, world.keys, unit=digest_bytes(b"another"))
    refuse(world.seal(), "attestations/gates.sigstore.json: speaks of another unit")


@pytest.mark.parametrize(
    "change", ["unit", "adapter", "adapter-tree", "adapter/adapter_config.json", "x", ""]
)
def test_an_attestation_about_anything_else_is_refused(world: World, change: str) -> None:
    files = tree_manifest(world.release / "adapter")
    subjects = {
        "unit": UNIT,
        "adapter": root_digest(files),
        "adapter-tree": world.manifest.adapter,
        "adapter/adapter_config.json": files["adapter_config.json"],
    }
    if change:
        subjects[change] = digest_bytes(b"another")
    content = statement(subjects, "urn:test", {"result": "PASSED"})
    bundle = sign_statement(content, load_private_key(world.keys.private))
    write_files(world.release, {"attestations/gates.sigstore.json": bundle})
    again = world.seal()
    if change:
        refuse(again, "attestations/gates.sigstore.json: speaks of another unit")
    else:
        verify_release(again.release, trusted_keys=again.trusted, store=again.store).close()


def test_a_renamed_directory_is_refused(world: World) -> None:
    renamed = world.release.rename(world.release.parent / ("0" * 64))
    refuse(replace(world, release=renamed), "presented as 000")
    with pytest.raises(IntegrityError, match="presented as"):
        verify_manifest(renamed, trusted_keys=world.trusted)


def test_an_old_release_presented_as_a_new_one_is_refused(world: World) -> None:
    old = world.root / "old"
    shutil.copytree(world.release, old)
    new = world.seal(lambda manifest: replace(manifest, sequence=2))
    shutil.rmtree(new.release)
    shutil.copytree(old, new.release)
    refuse(new, "presented as")


def test_a_signature_of_another_release_is_refused(world: World) -> None:
    bundle = (world.release / layout.BUNDLE).read_bytes()
    other = world.seal(lambda manifest: replace(manifest, sequence=2))
    (other.release / layout.BUNDLE).write_bytes(bundle)
    refuse(other, "release.json: altered")


def test_an_edited_manifest_is_refused_even_with_its_new_name(world: World) -> None:
    data = replace(world.manifest, project="other").to_bytes()
    (world.release / layout.MANIFEST).write_bytes(data)
    renamed = world.release.rename(world.release.parent / hex_of(digest_bytes(data)))
    refuse(replace(world, release=renamed), "release.json: altered")


def test_an_expired_release_is_refused(world: World) -> None:
    dated = world.seal(lambda manifest: replace(manifest, expires="2026-02-01T00:00:00+00:00"))
    refuse(dated, "expired at 2026-02-01", now=datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(IntegrityError, match="expired"):
        verify_manifest(dated.release, trusted_keys=dated.trusted, now=datetime(2026, 3, 1, tzinfo=UTC))
    verify_manifest(dated.release, trusted_keys=dated.trusted, now=datetime(2026, 1, 31, tzinfo=UTC))


def test_a_release_that_did_not_pass_is_refused_even_when_signed(world: World) -> None:
    failed = world.seal(lambda manifest: replace(manifest, verdict="fail"))
    refuse(failed, "got verdict 'fail', expected 'pass'")


def test_a_gate_report_that_contradicts_the_manifest_is_refused(world: World) -> None:
    (world.release / layout.GATE_REPORT).write_text('{"candidate": "x", "verdict": "pass"}')
    refuse(world.seal(), "gate-report.json: does not say 'pass'")


def test_an_empty_adapter_is_refused_even_when_signed(world: World) -> None:
    for file in (world.release / "adapter").iterdir():
        file.unlink()
    (world.release / "adapter").rmdir()
    refuse(world.seal(), "adapter/adapter_config.json: missing")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("adapter/adapter_model.bin", b"x", "type of file is not allowed"),
        ("adapter/modeling.py", b"import os", "type of file is not allowed"),
        ("adapter/.hidden", b"x", "type of file is not allowed"),
        ("adapter/weights.safetensors", b"\x80\x04\x95cos\nsystem", "not a safetensors file"),
        ("adapter/vocab.txt", b"\x80\x04\x95cos\nsystem", "is a pickle"),
        ("adapter/vocab.json", b"PK\x03\x04rest", "is a zip archive"),
        ("adapter/config.json", b'{"auto_map": {"AutoModel": "evil.Model"}}', "'auto_map' would load code"),
        ("adapter/config.json", b'{"a": [{"auto_map": {"x": "y"}}]}', "'auto_map' would load code"),
        ("adapter/config.json", b'{"trust_remote_code": true}', "'trust_remote_code' would load code"),
        ("adapter/config.json", b'{"a": 1, "a": 2}', "same key twice"),
        ("adapter/config.json", b"[" * 100_000, "not JSON"),
        ("adapter/chat_template.jinja", b"{{ x.__class__ }}", "reaches for Python internals"),
        ("adapter/tokenizer_config.json", b'{"chat_template": "{{ x.__class__ }}"}', "Python internals"),
    ],
)
def test_unsafe_files_are_refused_even_when_signed(world: World, name: str, data: bytes, reason: str) -> None:
    write_files(world.release, {name: data})
    refuse(world.resign_adapter().seal(), f"{name}.*: .*{reason}")


def test_a_vocabulary_may_hold_any_word(world: World) -> None:
    write_files(world.release, {"adapter/tokenizer.json": b'{"model": {"vocab": {"auto_map": 7}}}'})
    good = world.resign_adapter().seal()
    verify_release(good.release, trusted_keys=good.trusted, store=good.store).close()


def test_trailing_bytes_behind_weights_are_refused_even_when_signed(world: World) -> None:
    with (world.release / "adapter/adapter_model.safetensors").open("ab") as stream:
        stream.write(b"\x80\x04payload")
    refuse(world.resign_adapter().seal(), "adapter_model.safetensors: bytes that belong to no tensor")


def test_a_pickle_in_the_base_is_refused_even_when_signed(world: World) -> None:
    root = world.root / "unsafe"
    shutil.copytree(world.base, root)
    (root / "pytorch_model.bin").write_bytes(b"\x80\x04")
    digest = world.store.put_tree(root)
    base = replace(world.manifest.base, digest=digest, files=tree_manifest(root))
    refuse(world.seal(lambda m: replace(m, base=base)), "base/pytorch_model.bin: this type of file")


def test_base_files_that_do_not_give_the_base_digest_are_refused(world: World) -> None:
    files = dict(world.manifest.base.files) | {"config.json": digest_bytes(b"{}")}
    base = replace(world.manifest.base, files=files)
    assert digest_manifest(files) != base.digest
    refuse(world.seal(lambda m: replace(m, base=base)), "do not give the base's digest")


@pytest.mark.parametrize("name", [layout.MANIFEST, layout.BUNDLE, layout.GUARD])
def test_an_oversized_document_is_refused_without_reading_it_all(world: World, name: str) -> None:
    with (world.release / name).open("ab") as stream:
        stream.truncate(64 << 30)  # sparse: reading it all would take minutes
    refuse(world, f"{name}: longer than")


def test_only_verification_makes_a_verified_release(world: World) -> None:
    with pytest.raises(TypeError, match="only verify_release"):
        VerifiedRelease(object(), world.manifest, None, {}, lambda: None)  # type: ignore[arg-type]


def test_the_light_check_sees_prompt_guard_and_access(world: World) -> None:
    assert verify_manifest(world.release, trusted_keys=world.trusted) == world.manifest
    assert read_part(world.release, world.manifest, layout.GUARD) == b"rules: []\n"
    flip(world.release / layout.GUARD)
    with pytest.raises(IntegrityError, match=r"guard/guard\.yaml: altered"):
        verify_manifest(world.release, trusted_keys=world.trusted)
    with pytest.raises(IntegrityError, match=r"guard/guard\.yaml: altered"):
        read_part(world.release, world.manifest, layout.GUARD)


def test_a_good_release_hands_out_what_was_checked(world: World) -> None:
    with verify_release(world.release, trusted_keys=world.trusted, store=world.store) as release:
        assert release.digest == world.manifest.digest
        assert release.prompt["name"] == "p"
        assert release.guard_yaml == b"rules: []\n"
        assert (release.base_dir / "config.json").read_bytes() == b'{"model_type": "llama"}'
        assert release.adapter_dir.stat().st_mode & 0o777 == 0o700
        directories = release.base_dir, release.adapter_dir
    assert not any(directory.exists() for directory in directories)
    release.close()


@pytest.mark.skipif(not CAN_SEAL, reason="sealed memory is a Linux feature")
def test_nothing_changes_what_is_loaded_after_the_check(world: World) -> None:
    with verify_release(world.release, trusted_keys=world.trusted, store=world.store) as release:
        loaded = release.adapter_dir / "adapter_config.json"
        (world.release / "adapter" / "adapter_config.json").write_text("{}")
        assert loaded.read_bytes() == b'{"r": 16}'
        with pytest.raises(PermissionError):
            loaded.write_text("{}")
        with pytest.raises(PermissionError):
            os.truncate(loaded, 0)


@pytest.mark.skipif(not CAN_SEAL, reason="sealed memory is a Linux feature")
def test_two_releases_share_one_copy_of_their_base(world: World) -> None:
    first = verify_release(world.release, trusted_keys=world.trusted, store=world.store)
    other = world.seal(lambda manifest: replace(manifest, sequence=2))
    second = verify_release(other.release, trusted_keys=world.trusted, store=world.store)
    assert first.base_dir == second.base_dir
    assert first.adapter_dir != second.adapter_dir
    first.close()
    first.close()
    assert (second.base_dir / "config.json").exists()
    second.close()
    assert not second.base_dir.exists()
    flip(world.base / "config.json")  # nothing is remembered once nobody holds it
    refuse(other, "base/config.json: altered")


def test_a_forgotten_release_frees_its_memory(world: World) -> None:
    release = verify_release(world.release, trusted_keys=world.trusted, store=world.store)
    base, adapter = release.base_dir, release.adapter_dir
    del release
    gc.collect()
    assert not base.exists()
    assert not adapter.exists()


def test_a_refused_release_leaves_no_memory_or_files_behind(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = len(os.listdir("/proc/self/fd")) if CAN_SEAL else 0
    flip(world.base / "tokenizer.json")
    refuse(world, "base/tokenizer.json: altered")
    assert list(scratch.iterdir()) == []
    assert not CAN_SEAL or len(os.listdir("/proc/self/fd")) == before


def test_without_sealed_memory_private_copies_are_made(world: World) -> None:
    tree = seal_tree(world.release / "adapter", ["adapter_config.json"], seal=False)
    copied = tree.directory / "adapter_config.json"
    assert not tree.sealed
    assert copied.stat().st_mode & 0o777 == 0o400
    assert tree.files == {"adapter_config.json": digest_bytes(b'{"r": 16}')}
    tree.close()
    assert not tree.directory.exists()


def test_signing_helpers_name_their_release_by_its_bytes(world: World) -> None:
    assert publish(world.release, world.manifest.to_bytes(), world.keys) == world.release
    assert load_private_key(world.keys.private).curve.name == "secp256r1"
