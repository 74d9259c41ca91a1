"""Releases in a bucket: refused where it cannot keep them, the same release back on another machine."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.config import load_project
from infra.digest import hex_of
from infra.errors import ConfigError, Conflict, IntegrityError, Unavailable
from infra.ledger import Ledger
from infra.signing import create_key, verify_release
from infra.store import FileStore
from infra.store.s3 import S3Store
from infra.store.s3.abilities import writes_are_conditional
from infra.workspace import Workspace
from tasks.deploy.archive import archive_release, restore_release
from tasks.deploy.steps import keep_release
from tasks.records import Release
from tests.integration.store.conftest import Open
from tests.integration.store.faults import Fault, Proxy, answer, cut, drop_header
from tests.signed import signer_of, trust_of
from tests.unit.tasks.deploy.samples import make_sample, package
from tests.unit.tasks.finetune.provenance.samples import with_provenance

Packed = tuple[Workspace, str]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    monkeypatch.setattr("infra.store.s3.download._FIRST_PAUSE_S", 0.01)
    writes_are_conditional.cache_clear()


@pytest.fixture
def packed(open_s3: Open, tmp_path: Path) -> Packed:
    """A release that was packaged from a store in the bucket."""
    home = tmp_path / "home"
    project = load_project(environ={"ASSAY_HOME": str(home)})
    store, pair = open_s3(lock_mode="governance", lock_days=2), create_key(home / "keys")
    sample = make_sample(store, tmp_path)
    sample = replace(sample, candidate=with_provenance(store, sample.candidate))
    release = package(
        sample,
        store=store,
        releases_dir=home / "releases",
        signer=signer_of(pair),
        trust=trust_of(pair),
    )
    return Workspace("default", project, store, Ledger(project.ledger_url)), release.digest


def release_of(workspace: Workspace, digest: str) -> Release:
    directory = workspace.releases / hex_of(digest)
    return Release(digest=digest, project="triage", unit=digest, sequence=1, directory=str(directory))


def other_machine(workspace: Workspace, open_s3: Open, tmp_path: Path) -> Workspace:
    """With the public key, and nothing else."""
    home = tmp_path / "other-home"
    (home / "keys").mkdir(parents=True)
    shutil.copy(workspace.keys / "signing.pub", home / "keys")
    project = workspace.project.model_copy(update={"home": home})
    return replace(workspace, project=project, store=open_s3("other"))


def test_a_directory_has_no_archive(packed: Packed, tmp_path: Path) -> None:
    workspace = replace(packed[0], store=FileStore(tmp_path / "store"))
    for ask in (archive_release, restore_release):
        with pytest.raises(ConfigError, match="is a directory: releases are archived in a bucket"):
            ask(workspace, packed[1])


def test_a_bucket_that_cannot_refuse_a_second_writer_archives_nothing(
    packed: Packed, proxy: Proxy, keys: Any
) -> None:
    before = keys()
    proxy.faults.append(Fault("PUT", "", drop_header("If-None-Match"), times=1000))
    with pytest.raises(ConfigError, match="overwrites in spite of"):
        archive_release(*packed)
    assert keys() == before


def test_deploy_archives_where_the_store_is_a_bucket(packed: Packed, keys: Any, tmp_path: Path) -> None:
    workspace, digest = packed
    known = release_of(workspace, digest)
    before = keys()
    keep_release.fn(replace(workspace, store=FileStore(tmp_path / "store")), known)  # type: ignore[attr-defined]
    assert keys() == before
    keep_release.fn(workspace, known)  # type: ignore[attr-defined]
    assert f"assay/pointers/releases/{hex_of(digest)}" in keys()


def test_a_release_that_was_altered_is_not_archived(packed: Packed) -> None:
    workspace, release = packed
    file = workspace.releases / hex_of(release) / "release.json"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(IntegrityError, match="altered"):
        archive_release(workspace, release)


def test_another_directory_under_the_same_release_is_a_conflict(packed: Packed) -> None:
    workspace, release = packed
    archive_release(workspace, release)
    (workspace.releases / hex_of(release) / "added").write_text("")
    with pytest.raises(Conflict, match=f"pointer releases/{hex_of(release)}"):
        archive_release(workspace, release)


def test_a_release_that_is_not_archived_is_named(packed: Packed, open_s3: Open, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=f"no release {packed[1]}"):
        restore_release(other_machine(packed[0], open_s3, tmp_path), packed[1])


def test_an_archive_signed_by_a_stranger_is_not_trusted(
    packed: Packed, open_s3: Open, tmp_path: Path
) -> None:
    workspace, release = packed
    archive_release(workspace, release)
    other = other_machine(workspace, open_s3, tmp_path)
    shutil.copy(create_key(tmp_path / "stranger").public, other.keys / "signing.pub")
    with pytest.raises(IntegrityError):
        restore_release(other, release)
    assert list(other.releases.iterdir()) == []


def test_a_release_comes_back_and_verifies_with_its_base(
    packed: Packed, open_s3: Open, tmp_path: Path, client: Any, bucket: str
) -> None:
    workspace, release = packed
    done = archive_release(workspace, release)
    assert archive_release(workspace, release).tree == done.tree
    assert done.kept_until is not None
    other = other_machine(workspace, open_s3, tmp_path)
    directory = restore_release(other, release)
    assert directory == other.releases / hex_of(release) == restore_release(other, release)
    with verify_release(directory, trust=other.trust, store=other.store) as verified:
        assert verified.manifest.digest == release
        base = verified.manifest.base
    assert isinstance(other.store, S3Store)
    locked = [other.store.bucket.object_key(digest) for digest in base.files.values()]
    for key in (
        *locked,
        other.store.bucket.tree_key(done.tree),
        f"assay/pointers/releases/{hex_of(release)}",
    ):
        assert client.head_object(Bucket=bucket, Key=key)["ObjectLockMode"] == "GOVERNANCE"


def test_a_base_that_cannot_be_brought_is_unavailable_not_altered(
    packed: Packed, open_s3: Open, proxy: Proxy, tmp_path: Path
) -> None:
    workspace, release = packed
    archive_release(workspace, release)
    other = other_machine(workspace, open_s3, tmp_path)
    directory = restore_release(other, release)
    for act in (cut(after=0), answer(503, "SlowDown")):
        proxy.faults.append(Fault("GET", "objects", act, times=3))
        with pytest.raises(Unavailable):
            verify_release(directory, trust=other.trust, store=other.store)
    verify_release(directory, trust=other.trust, store=other.store).close()
