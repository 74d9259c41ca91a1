"""Seeded changes to a text that should not change its label: noise, disguises, injected instructions."""
