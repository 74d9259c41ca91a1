"""An action in a child process that kills itself at a chosen step: what a power cut leaves behind."""

import os
import signal
import sys
from collections.abc import Callable

Event = tuple[object, ...]


def survives(action: Callable[[], object], step: int, counts: Callable[[str, Event], bool]) -> bool:
    """False when the child was killed at its `step`-th audit event that counts, True when it came to its end.

    Fails when the action failed by itself.
    """
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event: str, arguments: Event) -> None:
            nonlocal seen
            if counts(event, arguments):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True
