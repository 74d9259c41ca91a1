"""Checking candidates: real directories and a real store; the weights are a few bytes."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from infra.config.base import BaseSettings
from infra.config.data import DataSettings
from infra.config.project import Project
from infra.digest import digest_tree
from infra.errors import ConfigError, DataError, IntegrityError
from infra.store import FileStore
from tasks.develop.selection import check_candidates
from tasks.develop.selection.fetch import fetch_files
from tasks.develop.selection.weights import count_parameters
from tests.unit.infra.models.chat_files import TEMPLATE, write_chat_files


def never(_source: Path, _target: Path) -> None:
    raise AssertionError("nothing may be converted here")


def safetensors(shapes: dict[str, list[int]]) -> bytes:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        size = 4 * shape[0] * shape[1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    raw = json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + bytes(end)


def model(root: Path, name: str, **more: bytes) -> str:
    """A tiny model directory; returns its digest."""
    directory = root / name
    directory.mkdir(parents=True)
    (directory / "config.json").write_text('{"model_type": "llama"}')
    (directory / "model.safetensors").write_bytes(safetensors({"a": [2, 3], "b": [1, 4]}))
    write_chat_files(directory)
    for file, content in more.items():
        (directory / file).write_bytes(content)
    return digest_tree(directory)


def candidate(name: str, digest: str | None, licence: str = "Apache-2.0") -> dict[str, Any]:
    return {"name": name, "source": f"path:{name}", "licence": licence, "digest": digest}


def project(root: Path, *candidates: dict[str, Any]) -> Project:
    return Project(
        name="p",
        title="P",
        data=DataSettings(source="attack-stix", licence="x"),
        base=BaseSettings.model_validate({"candidates": candidates}),
        root=root,
    )


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


class Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def choose(root: Path, store: FileStore, *candidates: dict[str, Any]) -> Any:
    """The first accepted candidate; every candidate's reasons are those of the whole list."""
    checks = check_candidates(project(root, *candidates), store, root / "work", never)
    found = next(check for check in checks if check.verdict == "accepted")
    reasons = tuple(f"{check.name}: {check.verdict}: {'; '.join(check.reasons)}" for check in checks)
    return found.model_copy(update={"reasons": reasons})


def test_a_licence_that_is_not_allowed_is_refused(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "gemma")
    with pytest.raises(DataError, match=r"gemma: refused: licence Gemma is not one of Apache-2.0, MIT"):
        choose(tmp_path, store, candidate("gemma", digest, "Gemma"))
    assert not store.has_tree(digest)


def test_a_missing_pin_prints_the_digest_to_pin(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine")
    with pytest.raises(ConfigError, match=f"set `digest: {digest}`"):
        choose(tmp_path, store, candidate("mine", None))


def test_files_that_differ_from_the_pin_are_an_integrity_error(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine")
    (tmp_path / "mine" / "config.json").write_text('{"model_type": "other"}')
    with pytest.raises(IntegrityError, match=f"expected the pinned {digest}"):
        choose(tmp_path, store, candidate("mine", digest))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pytorch_model.bin", b"\x80\x04."),
        ("weights.pt", b"\x80\x04."),
        ("extra.pkl", b"\x80\x04."),
        ("modeling_mine.py", b"import os\n"),
        ("config.json", b'{"model_type": "llama", "auto_map": {"AutoModel": "m.M"}}'),
    ],
)
def test_pickles_and_code_are_refused(tmp_path: Path, store: FileStore, file: str, content: bytes) -> None:
    digest = model(tmp_path, "mine", **{file: content})
    with pytest.raises(DataError, match="mine: refused: "):
        choose(tmp_path, store, candidate("mine", digest))
    assert not store.has_tree(digest)


def test_a_pickle_is_refused_with_what_picklescan_names(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine", **{"pytorch_model.bin": pickle.dumps(Exploit())})
    with pytest.raises(DataError, match=r"pytorch_model.bin: picklescan: dangerous \w+\.system"):
        choose(tmp_path, store, candidate("mine", digest))


def test_a_base_that_leads_to_another_model_is_refused(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine", **{"adapter_config.json": b'{"base_model_name_or_path": "/elsewhere"}'})
    with pytest.raises(DataError, match="names another model to load"):
        choose(tmp_path, store, candidate("mine", digest))


@pytest.mark.parametrize("weights", ['{"a": "../b.safetensors"}', '{"a": "absent.safetensors"}', "[]", "{}"])
def test_an_index_that_leads_elsewhere_is_refused(tmp_path: Path, store: FileStore, weights: str) -> None:
    index = f'{{"weight_map": {weights}}}'.encode()
    digest = model(tmp_path, "mine", **{"model.safetensors.index.json": index})
    with pytest.raises(DataError, match=r"index\.json: "):
        choose(tmp_path, store, candidate("mine", digest))


def test_a_template_that_users_can_forge_is_refused(tmp_path: Path, store: FileStore) -> None:
    model(tmp_path, "mine", **{"chat_template.jinja": TEMPLATE.replace("<|im_start|>", "## ").encode()})
    (tmp_path / "mine" / "chat_template.jinja").write_text(
        TEMPLATE.replace("<|im_end|>", "").replace("<|im_start|>", "# ")
    )
    with pytest.raises(DataError, match="only plain text stands between"):
        choose(tmp_path, store, candidate("mine", None))


def test_a_template_may_be_given_to_a_base_without_one_only(tmp_path: Path, store: FileStore) -> None:
    model(tmp_path, "mine")
    (tmp_path / "own.jinja").write_text(TEMPLATE)
    given = {**candidate("mine", None), "chat_template": "own.jinja"}
    with pytest.raises(DataError, match="it has a chat template of its own"):
        choose(tmp_path, store, given)
    (tmp_path / "mine" / "chat_template.jinja").unlink()
    with pytest.raises(DataError, match="no chat template"):
        choose(tmp_path, store, candidate("mine", None))
    with pytest.raises(ConfigError, match="set `digest: sha256:"):
        choose(tmp_path, store, given)
    with pytest.raises(ConfigError, match=r"absent\.jinja"):
        choose(tmp_path, store, {**given, "chat_template": "absent.jinja"})


@pytest.mark.parametrize("said", ["gemma", "cc-by-nc-4.0"])
def test_a_model_card_that_says_otherwise_is_believed(tmp_path: Path, store: FileStore, said: str) -> None:
    digest = model(tmp_path, "mine")
    (tmp_path / "mine" / "README.md").write_text(f"---\nlicense: {said}\n---\n# Card")
    with pytest.raises(DataError, match=f"its own file says that its licence is {said}"):
        choose(tmp_path, store, candidate("mine", digest))


@pytest.mark.parametrize("said", ["apache-2.0", "other"])
def test_a_model_card_that_agrees_or_says_nothing_is_no_reason(
    tmp_path: Path, store: FileStore, said: str
) -> None:
    digest = model(tmp_path, "mine")
    (tmp_path / "mine" / "README.md").write_text(f"---\nlicense: {said}\n---\n")
    assert choose(tmp_path, store, candidate("mine", digest)).digest == digest


def test_no_weights_or_broken_weights_are_refused(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine")
    (tmp_path / "mine" / "model.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(DataError, match="refused"):
        choose(tmp_path, store, candidate("mine", digest))
    (tmp_path / "mine" / "model.safetensors").unlink()
    with pytest.raises(DataError, match="refused"):
        choose(tmp_path, store, candidate("mine", digest))


def test_links_are_refused(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine")
    (tmp_path / "mine" / "link.json").symlink_to(tmp_path / "mine" / "config.json")
    with pytest.raises(DataError, match="symbolic links are refused"):
        choose(tmp_path, store, candidate("mine", digest))


def test_an_absent_directory_is_named(tmp_path: Path, store: FileStore) -> None:
    with pytest.raises(DataError, match="gone: no such directory"):
        choose(tmp_path, store, candidate("gone", None))


@pytest.mark.parametrize(
    "source", ["smollm", "ftp:x", "path:", "hub:a/b", "hub:a/b@main", "hub:a/b@" + "g" * 40]
)
def test_a_malformed_source_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(ConfigError, match="base source"):
        fetch_files(source, tmp_path / "t", root=tmp_path, convert=never)


def test_a_package_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no-such-package"):
        fetch_files("package:no-such-package", tmp_path / "t", root=tmp_path, convert=never)


def test_an_accepted_base_is_described_and_nothing_is_left_behind(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine")
    (tmp_path / "mine" / ".gitattributes").write_text("*.bin lfs")
    (tmp_path / "mine" / "README.md").write_text("# card")
    base = choose(tmp_path, store, candidate("mine", digest, "apache-2.0"))
    assert (base.digest, base.parameters) == (digest, 10)
    assert base.bytes == sum(f.stat().st_size for f in store.open_tree(digest).iterdir())
    reason = "licence apache-2.0, safe files, turns cannot be forged, pinned digest"
    assert base.reasons == (f"mine: accepted: {reason}",)
    assert list((tmp_path / "work").iterdir()) == []


def test_a_stored_tree_is_not_fetched_again(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine")
    choose(tmp_path, store, candidate("mine", digest))
    gone = {**candidate("mine", digest), "source": "package:no-such-package"}
    base = choose(tmp_path, store, gone)
    assert base.reasons[0].endswith("already stored")


def test_a_stored_tree_is_hashed_again(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "mine")
    choose(tmp_path, store, candidate("mine", digest))
    file = store.tree_path(digest) / "config.json"
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(IntegrityError, match="was altered in the store"):
        choose(tmp_path, store, candidate("mine", digest))


def test_every_candidate_has_its_reason(tmp_path: Path, store: FileStore) -> None:
    digest = model(tmp_path, "second")
    model(tmp_path, "fourth")
    base = choose(
        tmp_path,
        store,
        candidate("gemma", None, "Gemma"),
        candidate("gone", None),
        candidate("second", digest),
        {**candidate("third", None), "source": "package:no-such-package"},
        candidate("fourth", None),
    )
    assert base.name == "second"
    assert [reason.split(":")[:2] for reason in base.reasons] == [
        ["gemma", " refused"],
        ["gone", " refused"],
        ["second", " accepted"],
        ["third", " not installed"],
        ["fourth", " not pinned"],
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x02" + bytes(7),
        b"\x10" + bytes(7) + b"{}",
        b"\x02" + bytes(7) + b"[]",
        b"\x02" + bytes(7) + b"{}",
        b"\x14" + bytes(7) + b'{"a":{"shape":[-1]}}',
        b"\x08" + bytes(7) + b'{"a": 1}',
    ],
)
def test_malformed_safetensors_headers_are_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(raw)
    with pytest.raises(DataError):
        count_parameters(tmp_path)
