"""A private Sigstore for trying keyless signing without accounts or network. NOT FOR PRODUCTION.

with serving() as instance:                      # issuer, Fulcio, Rekor v1 and v2, timestamps
    instance.trust_config(), instance.issuer.token("ann@example.com")

Its keys live in memory, it listens on this machine alone, and it believes whoever knows its secret.
"""

from infra.sigstore_dev.instance import Instance
from infra.sigstore_dev.server import serving

__all__ = ["Instance", "serving"]
