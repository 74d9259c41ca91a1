"""The one error hierarchy of Assay: message = what happened, hint = what to do, exit code by cause.

raise DataError("labels.jsonl:17: label 'impct' is not one of 11", hint="nearest: 'impact'")
"""


class AssayError(Exception):
    """Any failure that Assay explains itself; the command line prints `diagnostics()`, never a traceback."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def diagnostics(self) -> str:
        """What happened and what to do, for a person."""
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[type["AssayError"], tuple[str, str]]:
        # Prefect pickles exceptions; the default would call __init__ with the message alone.
        return type(self), (self.message, self.hint)


class ConfigError(AssayError):
    """Raised when configuration or command-line input is wrong; names file, line and nearest valid key."""

    exit_code = 2


class DataError(AssayError):
    """Raised when a data set, base model or other input does not meet its contract. Never retried."""


class TrainingError(AssayError):
    """Raised when training cannot go on: an unsupported base, a refused environment, a failed process."""


class Diverged(TrainingError):
    """Raised when the loss is not finite, or stays far above where it began."""


class OutOfMemory(TrainingError):
    """Raised when an allocation is refused or the system ends a training process for its memory."""


class IntegrityError(AssayError):
    """Raised when bytes, signatures or chains do not match what was recorded. Never retried; pages."""


class Unavailable(AssayError):
    """Raised when a service or resource does not answer. The only error that may heal by itself: retried."""


class Conflict(AssayError):
    """Raised when another writer was first: what was to be changed is not what it was."""


class PromotionDenied(AssayError):
    """Raised when a verdict or a person's decision forbids promotion: a result, not a malfunction."""

    exit_code = 3


RETRYABLE = (Unavailable,)
