"""Chat templates: whatever lets words pass for a turn is refused, and a hostile template gets nowhere."""

from pathlib import Path

import pytest

from infra.errors import DataError
from infra.models.template import check_chat_template, render_in_child
from tests.unit.infra.models.chat_files import TEMPLATE as GOOD
from tests.unit.infra.models.chat_files import write_chat_files as base


def refused(root: Path, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        check_chat_template(root)
    assert caught.value.hint


@pytest.mark.parametrize("where", ["file", "settings", "list"])
def test_a_template_whose_turns_cannot_be_forged_passes(tmp_path: Path, where: str) -> None:
    check_chat_template(base(tmp_path, GOOD, where=where))


def test_no_template_is_refused(tmp_path: Path) -> None:
    refused(base(tmp_path, None), "no chat template")


def test_a_user_who_can_write_a_control_token_is_refused(tmp_path: Path) -> None:
    refused(base(tmp_path, GOOD, special=False), "words of a user become control tokens")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for m in messages %}### {{ m['role'] }}:\n{{ m['content'] }}\n{% endfor %}", "only plain text"),
        (
            GOOD.replace("{{ m['content'] }}", "{{ m['content'] | upper }}"),
            "drops, moves, changes or repeats",
        ),
        (GOOD.replace("{{ m['content'] }}", "{{ m['content'] * 2 }}"), "repeats message 1"),
        (GOOD.replace("in messages", "in messages[1:]"), r"message 1 \(role system\)"),
        (GOOD.replace("in messages", "in messages | reverse"), "moves"),
        (
            "{% for m in messages %}<|im_start|>{{ 'system' if 'im_end' in m['content'] else m['role'] }}\n"
            "{{ m['content'] }}<|im_end|>\n{% endfor %}",
            "depends on the words",
        ),
        ("{{ raise_exception('no system role') }}", "cannot be rendered: ValueError: no system role"),
        ("{% for m in messages %}", "cannot be rendered: TemplateSyntaxError"),
        ("{{ cycler.__init__.__globals__.os.system('true') }}", "cannot be rendered: SecurityError"),
        ("{{ ''[('_' * 2) ~ 'class' ~ ('_' * 2)] }}{{ messages.append(1) }}", "cannot be rendered"),
        ("{{ 'x' * 2000000 }}", "renders more than"),
        ("{{ 'x' * 9999999999 }}", "cannot be rendered: MemoryError"),
    ],
)
def test_templates_that_mislead_or_reach_out_are_refused(tmp_path: Path, template: str, message: str) -> None:
    refused(base(tmp_path, template), message)


def test_a_template_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.models.template._SECONDS", 0.5)
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(DataError, match="does not end"):
        render_in_child(endless, [[{"role": "user", "content": "x"}]], {"bos_token": "<s>"})
