"""Digests: what must change them does, what must not does not, and bad trees are refused."""

import hashlib
import os
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.digest import (
    canonical_json,
    digest_bytes,
    digest_file,
    digest_json,
    digest_table,
    digest_tree,
    hex_of,
    walk_tree,
)
from infra.errors import IntegrityError

CELLS = st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=1, max_size=12)


@pytest.mark.parametrize("bad", ["", "sha256:", "md5:" + "0" * 64, "sha256:" + "0" * 63, "sha256:" + "G" * 64,
                                 "SHA256:" + "0" * 64, "0" * 64, "sha256:" + "A" * 64])  # fmt: skip
def test_hex_of_refuses_what_is_no_digest(bad: str) -> None:
    with pytest.raises(IntegrityError, match="not a digest"):
        hex_of(bad)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": {1, 2}}, {1: "a"}, b"bytes", 2**60])
def test_canonical_json_refuses_what_json_cannot_hold(value: object) -> None:
    with pytest.raises(IntegrityError, match="canonical JSON"):
        canonical_json(value)


def test_canonical_json_is_rfc_8785() -> None:
    # Appendix of RFC 8785: keys by UTF-16 code units, shortest number form.
    assert (
        canonical_json({"b": 1.0, "a": [1e30, "\u20ac"], "": None})
        == '{"":null,"a":[1e+30,"€"],"b":1}'.encode()
    )


@given(st.dictionaries(st.text(max_size=4), st.integers(-1000, 1000), max_size=6))
def test_key_order_does_not_count(value: dict[str, int]) -> None:
    assert digest_json(value) == digest_json(dict(reversed(value.items())))


def test_file_digest_is_plain_sha256_and_reports_bytes(tmp_path: Path) -> None:
    data = os.urandom((1 << 20) + 17)
    (tmp_path / "f").write_bytes(data)
    seen: list[int] = []
    assert digest_file(tmp_path / "f", on_bytes=seen.append) == "sha256:" + hashlib.sha256(data).hexdigest()
    assert sum(seen) == len(data)
    assert digest_bytes(data) == digest_file(tmp_path / "f")


def _tree(root: Path) -> Path:
    (root / "sub").mkdir(parents=True)
    (root / "a").write_bytes(b"1")
    (root / "sub" / "b").write_bytes(b"2")
    return root


def _symlink(root: Path) -> None:
    (root / "link").symlink_to("a")


def _hard_link(root: Path) -> None:
    os.link(root / "a", root / "sub" / "hard")


def _pipe(root: Path) -> None:
    os.mkfifo(root / "pipe")


def _git(root: Path) -> None:
    (root / ".gitattributes").write_text("* filter=lfs")


def _not_utf8(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff")).write_bytes(b"")


def _not_nfc(root: Path) -> None:
    (root / unicodedata.normalize("NFD", "é")).write_bytes(b"")


def _case_twin(root: Path) -> None:
    (root / "A").write_bytes(b"1")


def _control(root: Path) -> None:
    (root / "a\nb").write_bytes(b"")


@pytest.mark.parametrize(
    "spoil", [_symlink, _hard_link, _pipe, _git, _not_utf8, _not_nfc, _case_twin, _control]
)
def test_trees_with_ambiguous_files_are_refused(tmp_path: Path, spoil: object) -> None:
    root = _tree(tmp_path / "t")
    assert walk_tree(root) == ["a", "sub/b"]
    spoil(root)  # type: ignore[operator]  # one of the functions above
    with pytest.raises(IntegrityError):
        digest_tree(root)


def test_directory_link_is_refused_and_not_followed(tmp_path: Path) -> None:
    root = _tree(tmp_path / "t")
    (root / "loop").symlink_to(root, target_is_directory=True)
    with pytest.raises(IntegrityError, match="loop"):
        digest_tree(root)


def test_tree_digest_counts_names_and_bytes_but_not_times_and_modes(tmp_path: Path) -> None:
    first, second = _tree(tmp_path / "x"), _tree(tmp_path / "y")
    os.utime(second / "a", (1, 1))
    (second / "a").chmod(0o444)
    assert digest_tree(first) == digest_tree(second)
    (second / "a").chmod(0o644)
    (second / "a").write_bytes(b"3")
    assert digest_tree(first) != digest_tree(second)
    (second / "a").write_bytes(b"1")
    (second / "a").rename(second / "c")
    assert digest_tree(first) != digest_tree(second)


@given(CELLS, st.integers(1, 5))
def test_table_digest_does_not_depend_on_chunking_or_string_width(cells: list[str | None], step: int) -> None:
    whole = pa.table({"t": pa.array(cells, pa.string()), "n": list(range(len(cells)))})
    chunks = [whole.slice(start, step) for start in range(0, len(cells), step)]
    cut = pa.concat_tables(chunks)
    assert cut.column("t").num_chunks == len(chunks)
    assert digest_table(cut) == digest_table(whole)
    wide = whole.set_column(0, "t", whole.column("t").cast(pa.large_string()))
    assert digest_table(wide) == digest_table(whole)
    coded = whole.set_column(0, "t", pa.array(cells, pa.string()).dictionary_encode())
    assert digest_table(coded) == digest_table(whole)
    assert digest_table(whole.select(["n", "t"])) == digest_table(whole)


@given(CELLS, CELLS)
def test_table_digest_differs_when_any_cell_differs(a: list[str | None], b: list[str | None]) -> None:
    left, right = (pa.table({"t": pa.array(cells, pa.string())}) for cells in (a, b))
    assert (digest_table(left) == digest_table(right)) == (a == b)


def test_table_digest_tells_null_empty_types_names_and_borders_apart() -> None:
    tables = [
        pa.table({"t": pa.array(["a", "b"], pa.string())}),
        pa.table({"t": pa.array(["ab", ""], pa.string())}),
        pa.table({"t": pa.array(["ab", None], pa.string())}),
        pa.table({"t": pa.array(["b", "a"], pa.string())}),
        pa.table({"u": pa.array(["a", "b"], pa.string())}),
        pa.table({"t": pa.array([b"a", b"b"], pa.binary())}),
        pa.table({"t": pa.array([1, 2])}),
        pa.table({"t": pa.array([1, 2], pa.int32())}),
        pa.table({"t": pa.array([], pa.string())}),
    ]
    assert len({digest_table(table) for table in tables}) == len(tables)
