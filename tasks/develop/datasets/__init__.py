"""Labelled text, from its source to verified splits in the store.

dataset = prepare_dataset(project, store)
require_quality(dataset.quality)
rows = load_split(store, dataset, "test")
"""

from tasks.develop.datasets.prepare import load_split, prepare_dataset
from tasks.develop.datasets.sources import read_rows
from tasks.develop.datasets.split import split_rows

__all__ = ["load_split", "prepare_dataset", "read_rows", "split_rows"]
