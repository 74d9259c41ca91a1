"""Loading a project: every mistake exits 2 with file, line and nearest name; profiles are overrides only."""

import shutil
import stat
from pathlib import Path

import pytest

from infra.config import Project, load_project, profile_names, project_names, state_home
from infra.config.load import REPOSITORY, environment_overrides
from infra.errors import ConfigError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    shutil.copytree(REPOSITORY / "configs", tmp_path / "configs")
    # Tests set the training themselves.
    file = tmp_path / "configs" / "project.yaml"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("training:")))
    return {"ASSAY_CONFIGS": str(tmp_path / "configs"), "ASSAY_HOME": str(tmp_path / "home")}


def _write(environ: dict[str, str], name: str, text: str) -> None:
    (Path(environ["ASSAY_CONFIGS"]) / name).write_text(text)


def _edit(environ: dict[str, str], old: str, new: str) -> int:
    """Replace in project.yaml; returns the line of the change."""
    file = Path(environ["ASSAY_CONFIGS"]) / "project.yaml"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1 + new.count("\n")


def _refusal(environ: dict[str, str], **arguments: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_project(environ=environ, **arguments)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2
    return caught.value


def test_unknown_key_names_file_line_and_nearest(environ: dict[str, str]) -> None:
    line = _edit(environ, "title: Incident triage", "title: Incident triage\ntraning: {epochs: 1}")
    error = _refusal(environ)
    assert f"project.yaml:{line}: unknown key 'traning'" in error.message
    assert error.hint == "did you mean 'training'?"


def test_unknown_nested_key_names_its_path(environ: dict[str, str]) -> None:
    _edit(environ, "title: Incident triage", "title: Incident triage\ntraining:\n  epoch: 1")
    error = _refusal(environ)
    assert "project.yaml:5: unknown key 'training.epoch'" in error.message
    assert error.hint == "did you mean 'epochs'?"


@pytest.mark.parametrize("key", ["home", "root", "file", "profile"])
def test_what_the_loader_sets_cannot_be_set(environ: dict[str, str], key: str) -> None:
    _edit(environ, "title: Incident triage", f"title: Incident triage\n{key}: /tmp/x")
    assert f"unknown key '{key}'" in _refusal(environ).message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("training: {epochs: many}", "training.epochs"),
        ("training: {epochs: 0}", "training.epochs"),
        ("training: {learning_rate: .nan}", "training.learning_rate"),
        ("gateway: {upstream_timeout_s: .inf}", "gateway.upstream_timeout_s"),
        ("gateway: [1]", "gateway"),
        ("ports: {gateway: 70000}", "ports.gateway"),
        ("approval: {policy: nobody}", "approval.policy"),
        ("data:\n  source: jsonl\n  licence: MIT", "data"),
        ("base: {candidates: []}", "base.candidates"),
        ("base:\n  candidates:\n    - {name: x, source: 'path:y', licence: MIT, digest: md5}", "digest"),
    ],
)
def test_wrong_values_in_a_profile_are_named_there(environ: dict[str, str], text: str, place: str) -> None:
    _write(environ, "profiles/mine.yaml", "# mine\n" + text + "\n")
    message = _refusal(environ, profile="mine").message
    assert "mine.yaml:" in message
    assert place in message


def test_a_missing_setting_is_named(environ: dict[str, str]) -> None:
    _edit(environ, "  licence: MITRE ATT&CK Terms of Use", "")
    assert "data.licence: Field required" in _refusal(environ).message


@pytest.mark.parametrize(("given_name", "nearest"), [("embeded", "embedded"), ("produktion", "production")])
def test_unknown_profile_names_the_nearest(environ: dict[str, str], given_name: str, nearest: str) -> None:
    error = _refusal(environ, profile=given_name)
    assert (error.message, error.hint) == (f"no profile {given_name!r}", f"did you mean {nearest!r}?")


@pytest.mark.parametrize("given_name", ["../../etc/passwd", "/etc/passwd", "", "Embedded"])
def test_a_profile_is_a_name_and_no_path(environ: dict[str, str], given_name: str) -> None:
    environ = {**environ, "ASSAY_PROFILE": given_name or "x"}
    assert "no profile" in _refusal(environ).message


def test_unknown_project_names_the_nearest(environ: dict[str, str]) -> None:
    error = _refusal(environ, name="weaknes")
    assert (error.message, error.hint) == ("no project 'weaknes'", "did you mean 'weakness'?")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ASSAY_TRANING__EPOCHS", "1", "unknown key 'traning'"),
        ("ASSAY_TRAINING__EPOCH", "1", "unknown key 'training.epoch'"),
        ("ASSAY_TRAINING__EPOCHS", "many", "training.epochs"),
        ("ASSAY_TRAINING__EPOCHS", "[", "ASSAY_TRAINING__EPOCHS: not a YAML value"),
        ("ASSAY_TRAINING", "5", "training"),
        ("ASSAY_HOME_", "x", "unknown key 'home_'"),
    ],
)
def test_wrong_variables_are_refused(environ: dict[str, str], name: str, value: str, message: str) -> None:
    refusal = _refusal({**environ, name: value}).message
    assert message in refusal
    assert "environment" in refusal


def test_missing_project_file_is_named(environ: dict[str, str]) -> None:
    (Path(environ["ASSAY_CONFIGS"]) / "project.yaml").unlink()
    assert "project.yaml: no such file" in _refusal(environ).message


def test_a_pasted_secret_is_refused_and_not_repeated(environ: dict[str, str]) -> None:
    _write(environ, "profiles/mine.yaml", "notify: {webhook: 'https://hooks.example/T0/sEcReT'}\n")
    error = _refusal(environ, profile="mine")
    assert "notify.webhook" in error.message
    assert "sEcReT" not in error.diagnostics()


def test_home_that_cannot_be_made_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="ASSAY_HOME"):
        state_home({"ASSAY_HOME": str(tmp_path / "file" / "home")})


def test_variables_win_over_profile_over_file(environ: dict[str, str]) -> None:
    _edit(
        environ, "title: Incident triage", "title: Incident triage\ntraining: {epochs: 7, lora_r: 7, seed: 7}"
    )
    _write(environ, "profiles/mine.yaml", "training: {epochs: 8, lora_r: 8}\n")
    training = load_project(profile="mine", environ={**environ, "ASSAY_TRAINING__EPOCHS": "9"}).training
    assert (training.epochs, training.lora_r, training.seed) == (9, 8, 7)


def test_home_is_private_and_absolute(environ: dict[str, str]) -> None:
    project = load_project(environ=environ)
    assert project.home.is_absolute()
    assert stat.S_IMODE(project.home.stat().st_mode) == 0o700
    assert project.ledger_url == f"sqlite:///{project.home}/ledger.db"


def test_digest_counts_settings_and_not_places(environ: dict[str, str], tmp_path: Path) -> None:
    first = load_project(environ=environ)
    elsewhere = load_project(environ={**environ, "ASSAY_HOME": str(tmp_path / "other")})
    assert first.digest == elsewhere.digest
    assert load_project(environ={**environ, "ASSAY_TRAINING__SEED": "1"}).digest != first.digest


@pytest.mark.parametrize("profile", profile_names({}))
@pytest.mark.parametrize("name", project_names({}))
def test_every_shipped_project_loads_with_every_profile(name: str, profile: str, tmp_path: Path) -> None:
    project = load_project(name, profile=profile, environ={"ASSAY_HOME": str(tmp_path)})
    assert isinstance(project, Project)
    assert project.profile == profile
    assert project.path(project.prompt, shipped=False).is_file()
    assert project.path(project.gates).is_file()


def test_a_setting_is_frozen(environ: dict[str, str]) -> None:
    project = load_project(environ=environ)
    with pytest.raises(ValueError, match="frozen"):
        project.training.epochs = 1  # type: ignore[misc]


def test_own_variables_are_no_settings() -> None:
    own = {"ASSAY_HOME": "a", "ASSAY_PROJECT": "b", "ASSAY_PROFILE": "c", "ASSAY_CONFIGS": "d", "PATH": "e"}
    assert environment_overrides(own).values == {}


def test_a_project_has_its_own_files_or_the_shipped_ones_but_never_another_prompt(tmp_path: Path) -> None:
    root = tmp_path / "configs"
    own = root / "projects" / "tickets"
    for folder in (own, root / "profiles", root / "prompts"):
        folder.mkdir(parents=True)
    for file in ("gates.yaml", "guard.yaml", "prompts/triage.yaml", "projects/tickets/guard.yaml"):
        (root / file).write_text("{}")
    project = load_project("default", environ={"ASSAY_HOME": str(tmp_path / "home")})
    project = project.model_copy(update={"root": own})
    assert project.path(Path("gates.yaml")) == root / "gates.yaml"
    assert project.path(Path("guard.yaml")) == own / "guard.yaml"
    assert project.path(Path("nowhere.yaml")) == own / "nowhere.yaml"
    prompt = Path("prompts/triage.yaml")
    assert project.path(prompt, shipped=False) == own / prompt
