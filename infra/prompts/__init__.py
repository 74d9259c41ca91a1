"""Prompt templates: what is rendered, the same way in training, validation and serving.

template = PromptTemplate.from_definition(definition)
template.messages("The actor encrypted the hosts.")
"""

from infra.prompts.canary import PLACEHOLDER, draw_canary
from infra.prompts.settings import ModelSettings
from infra.prompts.template import Example, PromptTemplate
from infra.prompts.variables import Value, Variable

__all__ = [
    "PLACEHOLDER",
    "Example",
    "ModelSettings",
    "PromptTemplate",
    "Value",
    "Variable",
    "draw_canary",
]
