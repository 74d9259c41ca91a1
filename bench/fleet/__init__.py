"""Candidates made by code, bad and good: what the gates are measured on.

python bench/gates.py            # or `make attack`
"""
