"""Labelled text, from its source through named stages to verified splits in the store.

dataset = prepare_dataset(project, store, shelf)
require_quality(dataset.quality)
rows = load_split(store, dataset, "test")
"""

from tasks.develop.datasets.prepare import load_split, load_table, prepare_dataset
from tasks.develop.datasets.sources import open_source, read_source

__all__ = ["load_split", "load_table", "open_source", "prepare_dataset", "read_source"]
