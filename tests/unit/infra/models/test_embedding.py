"""The embedding model is the pinned one, or none."""

from pathlib import Path

import pytest

from infra.errors import DataError, IntegrityError
from infra.models import embedding


@pytest.fixture(autouse=True)
def fresh() -> None:
    embedding.embedding_digest.cache_clear()


def test_the_installed_files_are_those_that_were_pinned() -> None:
    assert embedding.embedding_digest() == embedding._PINNED


def test_altered_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in embedding._FILES:
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(embedding, "_directory", lambda: tmp_path)
    with pytest.raises(IntegrityError, match="expected sha256"):
        embedding.embedding_digest()


@pytest.mark.parametrize(
    ("package", "message"), [("no-such-package", "not installed"), ("pytest", "lacks model")]
)
def test_an_absent_package_is_named(package: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "PACKAGE", package)
    with pytest.raises(DataError, match=message):
        embedding.embedding_digest()
