"""Owners' keys: one person each, and never the pipeline's own."""

from pathlib import Path

import pytest

from infra.config.load import load_project
from infra.config.project import Project
from infra.config.waivers import WaiverSettings
from infra.errors import IntegrityError
from infra.signing.keys import create_key, ensure_key
from infra.signing.rotation import rotate_key
from tasks.validate.waivers.owners import owner_keys


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return load_project("default", profile="embedded")


def listing(project: Project, **owners: Path) -> Project:
    return project.model_copy(update={"waivers": WaiverSettings(owners=owners)})


def test_by_default_nobody_may_waive(project: Project) -> None:
    ensure_key(project.home)
    assert project.waivers.owners == {}
    assert owner_keys(project) == {}


def test_each_owner_has_a_key_of_their_own(project: Project, tmp_path: Path) -> None:
    ensure_key(project.home)
    ada, bob = create_key(tmp_path / "ada"), create_key(tmp_path / "bob")
    got = owner_keys(listing(project, ada=ada.public, bob=bob.public))
    assert {name: key.key_id for name, key in got.items()} == {"ada": ada.key_id, "bob": bob.key_id}


def test_a_shared_key_is_refused(project: Project, tmp_path: Path) -> None:
    pair = create_key(tmp_path / "ada")
    with pytest.raises(IntegrityError, match="ada and bob have the same key"):
        owner_keys(listing(project, ada=pair.public, bob=pair.public))


def test_the_key_that_signs_releases_is_refused(project: Project) -> None:
    pair = ensure_key(project.home)
    with pytest.raises(IntegrityError, match="the one that the pipeline signs releases with"):
        owner_keys(listing(project, ada=pair.public))


def test_nor_is_one_that_signed_releases_before(project: Project, tmp_path: Path) -> None:
    copy = tmp_path / "old.pub"
    copy.write_bytes(ensure_key(project.home).public.read_bytes())
    rotate_key(project.home)
    with pytest.raises(IntegrityError, match="the one that the pipeline signs releases with"):
        owner_keys(listing(project, ada=copy))


PEM = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("content", [None, b"", PEM])
def test_an_unreadable_key_is_an_error_and_not_an_owner_less(
    project: Project, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "ada.pub"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(IntegrityError, match="PEM public key"):
        owner_keys(listing(project, ada=file))
