"""The same work in this process or on a cluster, by configuration, with the same result.

with mapper(project.scale) as map_items:
    parts = map_items(clean_chunk, chunks)      # a list, in the order of the chunks
"""

from infra.scale.mapping import Map, mapper

__all__ = ["Map", "mapper"]
