"""YAML with positions: whatever is wrong in a file is named with its line, and nothing hangs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.source import merged, read_yaml
from infra.errors import ConfigError

BOMB = "a: &a [x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)},*{chr(97 + n)},*{chr(97 + n)}]\n"
    for n in range(20)
)
BAD: list[tuple[str, str]] = [
    ("a: [1, 2\nb: 3\n", r"bad\.yaml:2: malformed YAML"),
    ("a: 1\n\tb: 2\n", r"bad\.yaml:2: malformed YAML"),
    ("a: 1\nb:\n  c: 2\n  c: 3\n", r"bad\.yaml:4: key 'c' is set twice"),
    ("a: 1\na: 2\n", r"bad\.yaml:2: key 'a' is set twice"),
    ("l:\n- {k: 1, k: 2}\n", r"bad\.yaml:2: key 'k' is set twice"),
    ("", r"bad\.yaml:1: got NoneType, expected a mapping"),
    ("- 1\n- 2\n", r"bad\.yaml:1: got list, expected a mapping"),
    ("just text\n", r"bad\.yaml:1: got str"),
    ("a: !!python/object/apply:os.system ['true']\n", r"bad\.yaml:1: malformed YAML"),
    ("a: *nowhere\n", r"bad\.yaml:1: malformed YAML"),
    ("a: 1\n---\nb: 2\n", r"bad\.yaml:2: malformed YAML"),
    ("a: \x07\n", r"bad\.yaml: malformed YAML"),
    ("a: 2001-99-99\n", r"bad\.yaml: malformed YAML"),
    ("? [a, b]\n: 1\n", r"bad\.yaml:1: malformed YAML"),
    ("a: " + "[" * 5000, r"bad\.yaml"),
    ("a: 1\nb: {<<: 5}\n", r"bad\.yaml:2: malformed YAML"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=range(len(BAD)))
def test_malformed_files_are_named_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_yaml(file)


def test_absent_unreadable_and_non_utf8_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_yaml(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("a: é".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "latin.yaml")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", [BOMB, "a: &x\n  b: *x\n", "a: &x [*x, *x]\n"])
def test_aliases_are_not_expanded_without_end(tmp_path: Path, text: str) -> None:
    (tmp_path / "bomb.yaml").write_text(text)
    read_yaml(tmp_path / "bomb.yaml")


def test_lines_of_keys_and_list_items(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("# comment\na:\n  b: 1\nlist:\n  - x: 1\n  - x: 2\n")
    source = read_yaml(tmp_path / "f.yaml")
    assert source.where(("a", "b")).endswith("f.yaml:3")
    assert source.where(("list", 1, "x")).endswith("f.yaml:6")
    assert source.where(("list", 1, "absent")).endswith("f.yaml:6")
    assert source.where(("absent",)).endswith("f.yaml:1")


NESTED = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), NESTED, max_size=3)


@given(MAPPINGS, MAPPINGS)
def test_merging_lays_one_over_the_other(base: dict[str, object], override: dict[str, object]) -> None:
    before = repr((base, override))
    result = merged(base, override)
    assert merged(result, override) == result
    assert merged(base, {}) == base
    assert set(result) == set(base) | set(override)
    assert repr((base, override)) == before
    for key, value in override.items():
        if not isinstance(value, dict):
            assert result[key] == value
