"""No secret in a log: a filter on Prefect's log *handlers*, where flow, task and library records meet.

redact_logs()      # again after a new secret was resolved is not needed: the set is shared
"""

import logging

from infra.config.secrets import redact, resolved_values
from infra.errors import AssayError

_LOGGERS = ("", "prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.extra")


class RedactionFilter(logging.Filter):
    """Replaces every secret that this process resolved in a record's text and traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(error := record.exc_info[1], AssayError):
            # An error that explains itself needs no traceback, and the line already says that it failed.
            record.exc_info, record.exc_text = None, error.diagnostics()
        secrets = resolved_values()
        if secrets:
            record.msg, record.args = redact(record.getMessage(), secrets), ()
            if record.exc_info and not record.exc_text:
                record.exc_text = logging.Formatter().formatException(record.exc_info)
            if record.exc_text:
                record.exc_text = redact(record.exc_text, secrets)
        return True


def redact_logs() -> None:
    """Put the filter on every handler that a flow's records can reach; calling it again changes nothing."""
    for name in _LOGGERS:
        for handler in logging.getLogger(name).handlers:
            if not any(isinstance(known, RedactionFilter) for known in handler.filters):
                handler.addFilter(RedactionFilter())
