"""The develop phase as pure functions: prompts, datasets, quality, base selection, requirements."""
