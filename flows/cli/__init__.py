"""The command line: `assay …`. Heavy libraries are imported inside the commands that need them."""

from flows.cli.main import main

__all__ = ["main"]
