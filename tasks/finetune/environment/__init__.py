"""What was true when training began; nothing is trained where it is not.

attestation = attest_environment(project, base=base, base_dir=tree, run=flow_run, now=datetime.now(UTC))
digest = store_attestation(store, attestation)       # TrainedAdapter.environment
"""

from tasks.finetune.environment.attest import attest_environment, store_attestation

__all__ = ["attest_environment", "store_attestation"]
