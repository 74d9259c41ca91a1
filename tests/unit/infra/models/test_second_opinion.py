"""picklescan's findings are named; a silent scanner is no reason to accept."""

import os
import pickle
import zipfile
from pathlib import Path

from infra.models.second_opinion import second_opinion


class Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def test_a_dangerous_import_is_named(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Exploit()))
    assert second_opinion(tmp_path) == (
        f"pytorch_model.bin: picklescan: dangerous {os.system.__module__}.system",
    )


def test_a_pickle_inside_an_archive_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Exploit()))
    assert "dangerous" in second_opinion(tmp_path)[0]


def test_a_harmless_pickle_is_still_no_proof(tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"w": 1}))
    assert "proves nothing" in second_opinion(tmp_path)[0]


def test_other_files_are_not_scanned(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "link.bin").symlink_to(tmp_path / "config.json")
    assert second_opinion(tmp_path) == ()
