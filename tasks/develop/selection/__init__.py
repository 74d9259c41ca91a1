"""Choosing the base model: licence, safe files, chat template, pinned digest; then scores and a stated rule.

checks = check_candidates(project, store, work, convert_gguf)
comparison = compare_bases(checks, template, examples.first(11), validation, project.base, store)
base = chosen_base(comparison)
"""

from tasks.develop.selection.check import check_candidate, check_candidates
from tasks.develop.selection.choose import chosen_base
from tasks.develop.selection.compare import compare_bases

__all__ = ["check_candidate", "check_candidates", "chosen_base", "compare_bases"]
