"""Machines and protocols: everything that a task needs but that knows no phase."""
