"""Choosing the base model: licence policy, safe files, pinned digest, and a reason for every candidate."""

from tasks.develop.selection.choose import choose_base

__all__ = ["choose_base"]
