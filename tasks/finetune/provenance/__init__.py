"""How an adapter came to be: a SLSA provenance statement, an ML-BOM with model card, lineage in MLflow.

provenance = make_provenance(store, project, developed, adapter)
track_lineage(run, store, developed, adapter, provenance, parent=developed_run_id)
"""

from tasks.finetune.provenance.lineage import track_lineage
from tasks.finetune.provenance.make import make_provenance

__all__ = ["make_provenance", "track_lineage"]
