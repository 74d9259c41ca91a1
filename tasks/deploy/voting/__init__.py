"""People decide on a release: each decision is signed, bound to what was seen, and in the ledger.

cast_signed(workspace, release, Answer(approver="ada", decision="approve", reason="…"), KeySigner(key))
cast_by_code(workspace, release, answer, "123456")
check_decision(entries, store, project, release, trusted)      # proves it again, offline
"""
