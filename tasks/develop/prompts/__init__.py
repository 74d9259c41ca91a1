"""Prompt templates from reviewed files: linted, identified by the digest of what is served, compared.

prompt = load_prompt(Path("configs/prompts/triage.yaml"), dataset.labels)
to_template(prompt).messages("The actor encrypted the hosts.")
"""

from tasks.develop.prompts.lint import lint_prompt
from tasks.develop.prompts.load import as_version, load_prompt, to_template

__all__ = ["as_version", "lint_prompt", "load_prompt", "to_template"]
