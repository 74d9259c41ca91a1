"""What is attacked or measured: the served unit in process, the model alone, or any endpoint.

with ServedUnit.open(workspace.store, candidate, guard_yaml) as unit:
    unit.ask([[{"role": "user", "content": "Emotet sends mail."}]])[0].text
"""

from tasks.validate.targets.http import Endpoint
from tasks.validate.targets.model import ModelAlone
from tasks.validate.targets.target import Conversation, Reply, Target
from tasks.validate.targets.unit import ServedUnit

__all__ = ["Conversation", "Endpoint", "ModelAlone", "Reply", "ServedUnit", "Target"]
