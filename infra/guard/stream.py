"""An answer that arrives in pieces, guarded: for every way to cut it, the result is that of the whole.

Views fold one character at a time, so the view of what came so far is a prefix of the whole view. A rule's
match that touches the end may still change: then nothing is released. Otherwise everything but the last
`hold_back_chars` goes out, and nothing from where a secret may have begun.
"""

from typing import TYPE_CHECKING

from infra.guard.canonicalise import visible
from infra.guard.secrets import placeholder
from infra.guard.verdict import GuardVerdict

if TYPE_CHECKING:
    from infra.guard.policy import GuardPolicy

_LEAST_STEP = 16  # characters


class StreamFilter:
    """State of one answer; not to be shared."""

    def __init__(self, policy: "GuardPolicy") -> None:
        self._policy = policy
        self._seen = ""
        self._clean = ""
        self._released = 0
        self._verdict: GuardVerdict | None = None
        self.scanned_chars = 0
        """Characters of the answer that the rules have looked at."""

    @property
    def blocked(self) -> bool:
        """Whether a rule stopped the answer; nothing comes out from then on."""
        return self._verdict is not None and not self._verdict.allowed

    @property
    def verdict(self) -> GuardVerdict | None:
        """The decision, once there is one."""
        return self._verdict

    def feed(self, chunk: str) -> str:
        """The part of the answer that may go out now; empty while it must be held and after a block."""
        if self._verdict is not None:
            return ""
        self._seen += chunk
        self._clean += visible(chunk)
        if len(self._seen) > self._policy.max_chars:
            return self._stop()
        # A scan reads everything so far: it waits until enough could go out to be worth it.
        ready = len(self._clean) - self._policy.hold_back_chars - self._released
        if ready < max(_LEAST_STEP, len(self._seen) // 16):
            return ""
        match = self._policy.output_rules.search(self._seen)
        self.scanned_chars = len(self._seen)
        if match is not None:
            return self._stop() if match.decided else ""
        return self._release()

    def finish(self) -> str:
        """The rest of the answer; call once, when no more will come."""
        if self._verdict is not None:
            return ""
        self._verdict = self._policy.check_output(self._seen)
        self.scanned_chars = len(self._seen)
        if not self._verdict.allowed:
            return ""
        return self._emit(len(self._clean))

    def _stop(self) -> str:
        verdict = self._policy.check_output(self._seen)
        if verdict.allowed:
            raise RuntimeError("the stream filter and the policy disagree")
        self._verdict = verdict
        return ""

    def _release(self) -> str:
        undecided = self._policy.redactor.undecided_from(self._clean)
        if len(self._clean) - undecided > self._policy.longest_secret_chars:
            return ""  # finish() blocks it as a whole does, if no other rule does so before
        limit = min(undecided, len(self._clean) - self._policy.hold_back_chars)
        return self._emit(limit)

    def _emit(self, limit: int) -> str:
        """Release what lies before `limit`, and a secret that begins there with all of it."""
        parts = []
        for secret in self._policy.redactor.find(self._clean):
            if secret.start >= limit:
                break
            if secret.start >= self._released:
                parts += [self._clean[self._released : secret.start], placeholder(secret)]
                self._released = secret.end
        if limit > self._released:
            parts.append(self._clean[self._released : limit])
            self._released = limit
        return "".join(parts)
