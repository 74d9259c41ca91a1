"""Whether the prompt that ships is one: it can be rendered, and gives text from outside no authority.

prompt_findings(candidate)

The lint of develop reads the file that an author writes; this reads the definition that the candidate names,
however it came there. Whether a model obeys such a prompt depends on its training: it must not be asked to.
"""

from infra.errors import DataError
from infra.prompts import PromptTemplate
from infra.prompts.authority import hands_authority
from tasks.records import Candidate
from tasks.validate.finding import Finding


def prompt_findings(candidate: Candidate) -> tuple[Finding, ...]:
    """One finding; pure."""
    return (Finding(name="prompt", proofs={"prompt": _problem(candidate)}),)


def _problem(candidate: Candidate) -> str:
    try:
        template = PromptTemplate.from_definition(candidate.prompt.definition)
    except DataError as error:
        return error.message
    for role, text in (("system", template.system), ("user", template.user)):
        if hands_authority(text):
            return f"its {role} text tells the model to obey text from outside"
    return ""
