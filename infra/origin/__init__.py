"""Documents about where a model comes from: whether they are valid, and what they are about.

`slsa` reads provenance statements, `mlbom` bills of materials; both take parsed JSON.
"""
