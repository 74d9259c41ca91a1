"""Which variables count as secrets, by name and by value; and that training is told to stay offline."""

import pytest

from infra.config.environment import force_offline, git_environment, secret_variables
from infra.errors import ConfigError


def never(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "REGISTRY_PASSWORD_PROD",
        "SECRET",
        "TOKEN_GITHUB",
        "SSH_PRIVATE_KEY",
        "PREFECT_API_AUTH_STRING",
        "token",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert secret_variables(never, {name: "k3y-of-some-length"}) == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_TOKENS", "k3y"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("PWD", "/home/ada"),
        ("OLDPWD", "/home/ada"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/ada/key.json"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
        ("USE_TOKEN", "true"),
        ("API_KEY", ""),
        ("KITTY_PUBLIC_KEY", "k3y"),
        ("HTTP_PROXY", "http://proxy:3128"),
        ("ASSAY_GATEWAY__MAX_TOKENS", "128"),
        ("ASSAY_ENVIRONMENT__ALLOWED_SECRETS", "[NPM_TOKEN]"),
        ("PREFECT_API_URL", "http://127.0.0.1:4200/api"),
        ("XDG_SESSION_ID", "c2"),
    ],
)
def test_what_ordinary_machines_have_is_no_secret(name: str, value: str) -> None:
    assert secret_variables(never, {name: value}) == ()


def test_values_that_are_secrets_under_any_name() -> None:
    environ = {"DATABASE": "postgresql://ada:pw@db/x", "NOTE": "mark", "PLAIN": "text"}
    assert secret_variables(lambda value: value == "mark", environ) == ("DATABASE", "NOTE")


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_a_person_who_wants_it_online_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}=0: got online"):
        force_offline({name: "0"})


def test_absent_and_empty_variables_are_set() -> None:
    environ = {"HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "yes"}
    force_offline(environ)
    assert environ == {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "yes", "HF_DATASETS_OFFLINE": "1"}


def test_git_is_not_pointed_elsewhere() -> None:
    assert git_environment({"GIT_DIR": "/elsewhere", "HOME": "/home/ada"}) == {"HOME": "/home/ada"}
