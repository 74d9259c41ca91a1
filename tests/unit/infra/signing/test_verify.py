"""What verification hands out, and what it costs; what it refuses is in tests/integration/tamper/."""

import gc
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_bytes
from infra.errors import IntegrityError
from infra.refusal import VerificationError
from infra.signing import manifest as layout
from infra.signing import read_part, verify_manifest, verify_release
from infra.signing.keys import create_key, load_private_key
from infra.signing.sealed import CAN_SEAL, seal_tree
from infra.signing.verify import VerifiedRelease
from infra.trust import Stage
from tests.unit.infra.signing.conftest import World, publish


def refuse(world: World, match: str, **options: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        verify_release(world.release, trust=world.trust, store=world.store, **options)


def flip(path: Path, position: int = -1) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", [layout.MANIFEST, layout.BUNDLE])
def test_a_flipped_byte_anywhere_in_the_signed_manifest_is_refused(world: World, name: str) -> None:
    path = world.release / name
    good = path.read_bytes()
    positions = {*range(0, len(good), 7), *range(len(good) - 260, len(good) - 1)}
    for position in sorted(positions):
        flip(path, position)
        refuse(world, "release")
        path.write_bytes(good)


def test_another_key_is_refused(world: World) -> None:
    other = create_key(world.root / "other")
    refuse(replace(world, keys=replace(world.keys, public=other.public)), "key that is not trusted")
    with pytest.raises(IntegrityError, match="no trusted key"):
        verify_release(world.release, trust=replace(world.trust, installation=None), store=world.store)


def test_only_verification_makes_a_verified_release(world: World) -> None:
    with pytest.raises(TypeError, match="only verify_release"):
        VerifiedRelease(object(), world.manifest, None, {}, {}, lambda: None)  # type: ignore[arg-type]


def test_the_light_check_sees_prompt_guard_and_access(world: World) -> None:
    assert verify_manifest(world.release, trust=world.trust) == world.manifest
    assert read_part(world.release, world.manifest, layout.GUARD) == b"rules: []\n"
    flip(world.release / layout.GUARD)
    with pytest.raises(IntegrityError, match=r"guard/guard\.yaml: altered"):
        verify_manifest(world.release, trust=world.trust)
    with pytest.raises(IntegrityError, match=r"guard/guard\.yaml: altered"):
        read_part(world.release, world.manifest, layout.GUARD)


def test_the_light_check_sees_name_expiry_and_policy(world: World) -> None:
    dated = world.seal(lambda manifest: replace(manifest, expires="2026-02-01T00:00:00+00:00"))
    january, february = (datetime(2026, month, 2, tzinfo=UTC) for month in (1, 2))
    verify_manifest(dated.release, trust=dated.trust, now=january)
    with pytest.raises(VerificationError, match="expired at 2026-02-01"):
        verify_manifest(dated.release, trust=dated.trust, now=february)
    other = dated.trust.policy.model_copy(update={"hashes": ("blake3",)})
    with pytest.raises(VerificationError, match="made under trust policy"):
        verify_manifest(dated.release, trust=replace(dated.trust, policy=other), now=january)
    # What is only looked at may have expired and be of an older policy, but never be another release.
    looked_at = verify_manifest(dated.release, trust=replace(dated.trust, policy=other), in_force=False)
    assert looked_at == dated.manifest
    renamed = dated.release.rename(dated.release.parent / ("0" * 64))
    with pytest.raises(VerificationError, match="presented as 000"):
        verify_manifest(renamed, trust=dated.trust, in_force=False)


def test_a_good_release_hands_out_what_was_checked(world: World) -> None:
    with verify_release(world.release, trust=world.trust, store=world.store) as release:
        assert release.digest == world.manifest.digest
        assert release.prompt["name"] == "p"
        assert release.guard_yaml == b"rules: []\n"
        assert set(release.signers) == set(Stage) - {Stage.APPROVAL}
        assert {signer.subject for signer in release.signers.values()} == {world.keys.key_id}
        assert (release.base_dir / "config.json").read_bytes() == b'{"model_type": "llama"}'
        assert release.adapter_dir.stat().st_mode & 0o777 == 0o700
        directories = release.base_dir, release.adapter_dir
    assert not any(directory.exists() for directory in directories)
    release.close()


@pytest.mark.skipif(not CAN_SEAL, reason="sealed memory is a Linux feature")
def test_nothing_changes_what_is_loaded_after_the_check(world: World) -> None:
    with verify_release(world.release, trust=world.trust, store=world.store) as release:
        loaded = release.adapter_dir / "adapter_config.json"
        (world.release / "adapter" / "adapter_config.json").write_text("{}")
        assert loaded.read_bytes() == b'{"r": 16}'
        with pytest.raises(PermissionError):
            loaded.write_text("{}")
        with pytest.raises(PermissionError):
            os.truncate(loaded, 0)


@pytest.mark.skipif(not CAN_SEAL, reason="sealed memory is a Linux feature")
def test_two_releases_share_one_copy_of_their_base(world: World) -> None:
    first = verify_release(world.release, trust=world.trust, store=world.store)
    other = world.seal(lambda manifest: replace(manifest, sequence=2))
    second = verify_release(other.release, trust=world.trust, store=world.store)
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
    release = verify_release(world.release, trust=world.trust, store=world.store)
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
