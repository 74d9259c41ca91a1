"""The guard: one policy, used by validation (attacked) and by the gateway (defending).

policy = GuardPolicy.from_yaml(Path("guard.yaml").read_bytes())
policy.check_input("…").allowed
filter = policy.stream(); filter.feed("chunk"); filter.finish()
"""

from infra.guard.policy import GuardPolicy
from infra.guard.stream import StreamFilter
from infra.guard.verdict import GuardVerdict

__all__ = ["GuardPolicy", "GuardVerdict", "StreamFilter"]
