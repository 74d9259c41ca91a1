"""Who may sign what: the trust policy of an installation, as small rules with one verb.

policy = read_policy(Path("configs/trust.yaml"))
policy.rule(Stage.GATES, installation=key_id).verify(Signed("gates.sigstore.json", signer))

Nothing here touches a signature; `infra.signing.trusted` does, and asks these rules about the signer.
"""

from infra.trust.policy import Stage, TrustPolicy
from infra.trust.read import read_policy
from infra.trust.rules import (
    AllOf,
    AnyOf,
    Different,
    MaxAge,
    NotRevoked,
    Rule,
    Signed,
    SignedByIdentity,
    SignedByKey,
)

__all__ = [
    "AllOf",
    "AnyOf",
    "Different",
    "MaxAge",
    "NotRevoked",
    "Rule",
    "Signed",
    "SignedByIdentity",
    "SignedByKey",
    "Stage",
    "TrustPolicy",
    "read_policy",
]
