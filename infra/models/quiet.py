"""Silence for the bars, reports and advice that transformers prints while it reads model files.

with quiet_transformers():
    model = AutoModel.from_pretrained(directory)
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Only errors are shown inside the block; exceptions pass."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        # Its GGUF reader draws a bar of its own, terminal or not.
        with redirect_stderr(StringIO()):
            yield
    finally:
        transformers_logging.set_verbosity(level)
