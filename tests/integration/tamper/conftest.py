"""One release is packaged; every case gets a copy of it to alter."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.signing import KeyPair, create_key
from infra.store import FileStore
from infra.trust import read_policy
from tests.integration.tamper.packaged import Packaged
from tests.signed import POLICY, signer_of, trust_of
from tests.unit.tasks.deploy.samples import make_sample, package


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, KeyPair, KeyPair]:
    """Home of a packaged release, its keys, and keys of somebody else."""
    home = tmp_path_factory.mktemp("original")
    keys, other = create_key(home / "keys"), create_key(home / "other")
    store = FileStore(home / "store")
    sample = make_sample(store, home)
    package(
        sample,
        store=store,
        releases_dir=home / "releases",
        sequence=4,
        signer=signer_of(keys),
        trust=trust_of(keys),
        expires=datetime(2100, 1, 1, tzinfo=UTC),
    )
    for path in home.rglob("*"):
        if not path.is_relative_to(home / "keys"):
            path.chmod(0o700 if path.is_dir() else 0o600)  # they are altered on purpose
    return home, keys, other


@pytest.fixture
def copy(
    original: tuple[Path, KeyPair, KeyPair], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Packaged]]:
    """Makes copies of the packaged release, each with its own store; removes them."""
    home, keys, other = original
    root, numbers = tmp_path_factory.mktemp("copies"), itertools.count()

    def make() -> Packaged:
        target = root / str(next(numbers))
        for part in ("releases", "store"):
            shutil.copytree(home / part, target / part)
        release = next(path for path in (target / "releases").iterdir() if not path.name.startswith("."))
        return Packaged(target, release, keys, other, read_policy(POLICY))

    yield make
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def packaged(copy: Callable[[], Packaged]) -> Packaged:
    return copy()
