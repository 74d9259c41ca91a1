"""Proof of what happened: everything that ledger, releases and routes claim, looked at again.

findings = audit(workspace)                     # offline: files and the ledger alone
export_archive(workspace, Path("audit.tar"))    # what an outsider checks with Python and OpenSSL alone
"""

from tasks.deploy.audit.archive import export_archive
from tasks.deploy.audit.findings import Finding, audit, history

__all__ = ["Finding", "audit", "export_archive", "history"]
