"""The security gate: every control of the threat model has evidence about this very candidate, looked at now.

findings = find(workspace, candidate, now)      # what holds and what does not, each with its reason
"""
