"""Why a check failed, as one line that may be shown: no secret, no personal data, no control character.

one_line("DataError: token sk-live-… of mail@example.org\n…", guard)
"""

from infra.config.secrets import redact, resolved_values
from infra.guard import GuardPolicy
from infra.guard.canonicalise import visible
from infra.guard.pii import redact_pii

_MOST = 300


def one_line(text: str, guard: GuardPolicy | None) -> str:
    """The text on one line of at most 300 characters; `guard`, when readable, knows the kinds of secrets."""
    line = " ".join(visible(redact(text, resolved_values())).split())
    if guard is not None:
        line, _ = guard.redactor.redact(line)
    line, _ = redact_pii(line)
    line = line or "no reason was given"
    return line if len(line) <= _MOST else f"{line[: _MOST - 1]}…"
