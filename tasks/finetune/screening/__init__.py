"""The search for poison in training rows, before anything learns from them.

report = screen_and_test(rows, vectors, settings, labels, guard, embed)     # tasks.finetune.screening.run
held = hold_back(rows, report, decisions)                          # tasks.finetune.screening.quarantine
train_on = held.kept
"""
