"""garak as the red team's second tier: planned, run in a process group of its own, and read with suspicion.

report = attack(target, settings, policy, executable())      # DataError, Unavailable: nothing was measured
evidence = garak_evidence(report, inputs, details=digest)
"""

from tasks.validate.garak.evidence import garak_evidence
from tasks.validate.garak.run import attack, attack_url, executable

__all__ = ["attack", "attack_url", "executable", "garak_evidence"]
