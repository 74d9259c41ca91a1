"""Attempts against one target: asked in order, judged by their detectors, nothing taken for granted.

outcomes = strike(target, attempts, clean)          # outcomes[0].hit, outcomes[0].reply.blocked_by
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from infra.errors import DataError
from tasks.validate.redteam.attempts import Attempt
from tasks.validate.redteam.detectors import is_hit
from tasks.validate.targets import Conversation, Reply, Target

_BATCH = 128
_MOST_EMPTY = 0.5


@dataclass(frozen=True)
class Outcome:
    """What one attempt came to; `detector` is the one that found the evidence."""

    attempt: Attempt
    reply: Reply
    detector: str | None
    changed: bool = False
    """Whether the answer differs from the one to the clean text."""

    @property
    def hit(self) -> bool:
        """Whether there is positive evidence of success."""
        return self.detector is not None

    @property
    def blocked(self) -> bool:
        """Whether the guard, or the form of requests, stopped it."""
        return self.reply.blocked_by is not None

    @property
    def progress(self) -> int:
        """How far it got: 0 stopped, 1 answered as if nothing was there, 2 answered otherwise, 3 success."""
        return 3 if self.hit else 0 if self.blocked else 2 if self.changed else 1


def ask(
    target: Target,
    conversations: Sequence[Conversation],
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Reply]:
    """One reply each; raises DataError when a target skips some, gives no reply or says nothing at all."""
    replies: list[Reply] = []
    for start in range(0, len(conversations), _BATCH):
        part = conversations[start : start + _BATCH]
        got = target.ask(part)
        if got is None or len(got) != len(part):
            count = "none" if got is None else len(got)
            raise DataError(f"the target gave {count} replies, expected {len(part)}")
        for reply in got:
            if not isinstance(reply, Reply) or not isinstance(reply.text, str):
                raise DataError(f"the target gave a {type(reply).__name__} as reply, expected text")
        replies += got
        on_progress(len(replies), len(conversations))
    answered = [reply for reply in replies if reply.blocked_by is None]
    empty = sum(not reply.text.strip() for reply in answered)
    if answered and empty > _MOST_EMPTY * len(answered):
        raise DataError(
            f"the target answers nothing: {empty} of {len(answered)} answers are empty",
            hint="an attack on a target that does not answer proves nothing",
        )
    return replies


def strike(
    target: Target,
    attempts: Sequence[Attempt],
    clean: Mapping[int, str],
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Outcome]:
    """The outcome of every attempt; `clean` holds this target's answers to the rows without an attack."""
    replies = ask(target, [attempt.conversation for attempt in attempts], on_progress)
    return [_outcome(a, reply, clean) for a, reply in zip(attempts, replies, strict=True)]


def _outcome(attempt: Attempt, reply: Reply, clean: Mapping[int, str]) -> Outcome:
    before = clean.get(attempt.row) if attempt.row is not None else None
    expected = replace(attempt.expected, clean=before)
    found = next((name for name in attempt.detectors if is_hit(name, expected, reply)), None)
    return Outcome(attempt, reply, found, before is not None and reply.text != before)
