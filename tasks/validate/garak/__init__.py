"""garak as the red team's second tier: planned, run in a process group of its own, and read with suspicion.

report = attack(target, settings, policy, executable())      # DataError, Unavailable: nothing was measured
report = attack_url("http://127.0.0.1:8080/v1", "triage", key, within(300, GarakSettings()))
evidence = garak_evidence(report, inputs, details=digest)
"""

from tasks.validate.garak.evidence import garak_evidence
from tasks.validate.garak.plan import within
from tasks.validate.garak.run import attack, attack_url, executable, shipped_policy

__all__ = ["attack", "attack_url", "executable", "garak_evidence", "shipped_policy", "within"]
