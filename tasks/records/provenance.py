"""How an adapter came to be: documents in the store, by digest."""

from pydantic import Field

from tasks.records.record import Digest, Record


class Provenance(Record):
    """What fine-tune can prove about an adapter; each digest names bytes in the store."""

    adapter: Digest
    statement: Digest = Field(description="in-toto statement with SLSA provenance v1, canonical JSON")
    mlbom: Digest = Field(description="CycloneDX 1.6 ML-BOM with model card, JSON")
    environment: Digest = Field(description="environment attestation, canonical JSON")
