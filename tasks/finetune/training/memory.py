"""Running out of memory, told with the setting to change.

with explained(settings): ...       # MemoryError and torch's RuntimeError become OutOfMemory
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import OutOfMemory
from tasks.finetune.training.settings import TrainingSettings

_SIGNS = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "bad_alloc",
)
_CGROUP = Path("/sys/fs/cgroup")


@contextmanager
def explained(settings: TrainingSettings) -> Iterator[None]:
    """Turns a refused allocation into OutOfMemory; anything else passes unchanged."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not is_out_of_memory(str(error)):
            raise
        raise out_of_memory(settings, str(error) or type(error).__name__) from error


def is_out_of_memory(message: str) -> bool:
    """Whether an error's text is that of a refused allocation."""
    return any(sign in message.lower() for sign in _SIGNS)


def out_of_memory(settings: TrainingSettings, cause: str) -> OutOfMemory:
    """The error to raise; names the limit of the container where there is one."""
    return OutOfMemory(
        f"training ran out of memory{limit_text()}: {cause.splitlines()[0][:200]}",
        f"lower training.batch_size (now {settings.batch_size}), training.max_tokens"
        f" (now {settings.max_tokens}) or training.trained_layers (now {settings.trained_layers or 'all'})",
    )


def limit_text(cgroup: Path = _CGROUP) -> str:
    """` (the container's limit is 4.0 GiB)` where a cgroup limits this process, else nothing."""
    try:
        limit = int((cgroup / "memory.max").read_text("ascii"))
    except (OSError, ValueError):
        return ""
    return f" (the container's limit is {limit / 2**30:.1f} GiB)"
