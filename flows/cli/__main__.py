"""`python -m flows.cli` is `assay`."""

from flows.cli import main

main()
