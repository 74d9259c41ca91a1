"""Pictures for pages as inline SVG: text in, text out, colours from the page's style sheet, all text escaped.

bar_chart("Rows by label", [Bar("impact", (160, 20, 40))], series=("train", "validation", "test"))
histogram("Characters", Bins((0, 100, 200), (7, 3)), unit="characters")
small_multiples("Characters by label", [("impact", bins), ("discovery", bins)], unit="characters")
waterfall("Rows", [Level("read", 900, 900), Level("duplicates", 900, 850)])
bands("Changed answers", [Dot("female", 0.01, 0.0, 0.08, state="pass")], (0.0, 0.1))
"""

from infra.pages.charts.bands import Dot, bands
from infra.pages.charts.bars import Bar, bar_chart
from infra.pages.charts.histogram import Bins, histogram, small_multiples
from infra.pages.charts.waterfall import Level, waterfall

__all__ = ["Bar", "Bins", "Dot", "Level", "bands", "bar_chart", "histogram", "small_multiples", "waterfall"]
