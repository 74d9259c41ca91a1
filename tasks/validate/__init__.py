"""Validate: measure a candidate, judge the evidence by declared rules."""
