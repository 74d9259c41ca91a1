"""The red team: corpora × transforms × detectors against the model alone and the served unit.

CHECK.run(workspace, candidate)      # tasks.validate.redteam.check

What is attacked, how it is counted, and the limits: docs/redteam.md.
"""
