"""Corpora: what ships is complete and valid; what is wrong is refused with file and field."""

from importlib import metadata
from pathlib import Path

import pytest
import yaml

from infra.config.load import REPOSITORY
from infra.config.redteam import RedTeamSettings
from infra.errors import ConfigError, DataError
from tasks.validate.redteam.benign import benign_prompts
from tasks.validate.redteam.corpus import Corpora, load_corpora
from tasks.validate.redteam.packages import pyrit_templates, with_packages

OWN = REPOSITORY / "configs" / "redteam"
GOOD = {
    "version": 1,
    "family": "some",
    "risk": "prompt_injection",
    "detector": "obey",
    "licence": "Apache-2.0",
    "origin": "a test",
    "attacks": [{"id": "one", "text": "Say {goal}."}],
}
BENIGN = {"version": 1, "licence": "x", "origin": "y", "prompts": ["a b"], "templates": ["{row} {verb}"]}


@pytest.fixture(scope="module")
def own() -> Corpora:
    return load_corpora(OWN)


def write(folder: Path, content: object, benign: object = None) -> Path:
    (folder / "some.yaml").write_text(yaml.safe_dump(content))
    (folder / "benign.yaml").write_text(yaml.safe_dump(benign or {**BENIGN, "words": {"verb": ["c", "d"]}}))
    return folder


def test_every_risk_that_a_request_can_pose_is_attacked(own: Corpora) -> None:
    assert {each.risk for each in own.attacks} == {
        "prompt_injection", "sensitive_disclosure", "output_handling", "excessive_agency",
        "system_prompt_leakage", "misinformation", "unbounded_consumption",
    }  # fmt: skip


def test_every_file_names_its_licence(own: Corpora) -> None:
    files = {file.stem for file in OWN.glob("*.yaml")}
    assert set(own.licences) == files
    assert all(text.startswith("Apache-2.0: ") for text in own.licences.values())


def test_openers_exist_in_five_languages(own: Corpora) -> None:
    ids = [each.attack.id for each in own.attacks if each.attack.technique == "language"]
    assert {name[:2] for name in ids} >= {"de", "fr", "es", "ru", "zh"}


def test_no_attack_repeats_words_of_training(own: Corpora) -> None:
    from tasks.finetune.perturbations.training_families import TRAINING

    trained = {act.strip() for family in TRAINING for act in family.acts if len(act) > 12}
    attacks = {each.attack.text.replace("{goal}", "{label}") for each in own.attacks}
    assert not [(act, text) for act in trained for text in attacks if act in text]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"risk": "unknown"}, "risk"),
        ({"detector": "vibes"}, "detector"),
        ({"licence": ""}, "licence"),
        ({"version": 2}, "version"),
        ({"extra": 1}, "extra"),
        ({"attacks": []}, "attacks"),
        ({"attacks": [{"id": "one"}]}, "either text or messages"),
        ({"attacks": [{"id": "one", "text": "Say {gaol}."}]}, "unknown slot 'gaol'"),
        ({"attacks": [{"id": "one", "text": "a"}, {"id": "one", "text": "b"}]}, "occurs twice"),
        ({"attacks": [{"id": "one", "messages": [{"role": "root", "content": "a"}]}]}, "role"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_corpora(write(tmp_path, GOOD | change))


def test_a_folder_without_corpora_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no attack corpora"):
        load_corpora(tmp_path)


def test_missing_benign_prompts_are_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "benign.yaml").unlink()
    with pytest.raises(ConfigError, match=r"benign\.yaml"):
        load_corpora(tmp_path)


def test_the_digest_changes_with_a_word(tmp_path: Path) -> None:
    first = load_corpora(write(tmp_path, GOOD)).digest
    assert load_corpora(write(tmp_path, GOOD)).digest == first
    assert (
        load_corpora(write(tmp_path, GOOD | {"attacks": [{"id": "one", "text": "Say {goal}!"}]})).digest
        != first
    )


def test_families_are_chosen_by_name(own: Corpora) -> None:
    assert {each.family for each in own.families(["jailbreak"]).attacks} == {"jailbreak"}
    with pytest.raises(ConfigError, match="no family 'jailbraek'"):
        own.families(["jailbraek"])


def test_at_least_two_hundred_distinct_harmless_prompts(own: Corpora) -> None:
    prompts = benign_prompts(own.benign, ["Emotet sends mail.", "The actor reads files."], 240, seed=0)
    assert len(set(prompts)) == 240
    assert prompts == benign_prompts(
        own.benign, ["Emotet sends mail.", "The actor reads files."], 240, seed=0
    )
    assert not any("{" in prompt for prompt in prompts)


def test_too_few_harmless_prompts_are_an_error(tmp_path: Path) -> None:
    benign = load_corpora(write(tmp_path, GOOD)).benign
    with pytest.raises(DataError, match="got 3, expected 4"):
        benign_prompts(benign, ["row"], 4, seed=0)


def test_an_absent_package_is_listed_as_skipped(own: Corpora, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "distribution", absent)
    found = with_packages(own, RedTeamSettings())
    assert found.attacks == own.attacks
    assert found.skipped == ("pyrit: not installed, brought by the extra `corpora`",)


class Package(metadata.Distribution):
    """A package with templates in a folder."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        self.root = root
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        record = "".join(f"{name},,\n" for name in files)
        self.texts = {"METADATA": "Name: pyrit\nVersion: 9.9\nLicense: MIT\n", "RECORD": record}

    def read_text(self, filename: str) -> str | None:
        return self.texts.get(filename)

    def locate_file(self, path: object) -> Path:
        return self.root / str(path)


def test_templates_are_read_as_data_with_their_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = "pyrit/datasets/jailbreak/templates/"
    good = yaml.safe_dump({"parameters": ["prompt"], "value": "{% raw %}Be {free}. {% endraw %}{{ prompt }}"})
    package = Package(
        tmp_path,
        {
            folder + "a/Good One.yaml": good,
            folder + "two.yaml": yaml.safe_dump({"parameters": ["prompt", "x"], "value": "{{ prompt }}"}),
            folder + "long.yaml": yaml.safe_dump(
                {"parameters": ["prompt"], "value": "x" * 99 + "{{ prompt }}"}
            ),
            folder + "broken.yaml": "a: [",
            "pyrit/code.py": "raise SystemExit",
        },
    )
    monkeypatch.setattr(metadata, "distribution", lambda _name: package)
    templates, origin, skipped = pyrit_templates(5, 90, seed=0)
    assert [each.attack.text for each in templates] == ["Be [free]. answer {goal}."]
    assert templates[0].attack.id == "a-good-one"
    assert origin == "MIT: pyrit 9.9, 1 of 1 templates up to 90 characters (4 in all)"
    assert skipped == ""
    assert pyrit_templates(5, 3, seed=0)[2] == "pyrit 9.9: no usable template among 4 files"
