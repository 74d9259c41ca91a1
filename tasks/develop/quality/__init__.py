"""Is the prepared data fit to train and test on? Great Expectations, plus guards that fail closed.

report = check_quality(tables, labels=("a", "b"), min_rows=100, max_characters=2000)
require_quality(report)            # DataError listing what failed

Great Expectations alone calls an empty table, a column of nulls and an empty suite a success. So guards
run first, every rule is counted a second time by other code, and the library sees a narrow table of sizes
and flags instead of the rows. Reports hold counts, never cell values.
"""

from tasks.develop.quality.check import check_quality, judge, require_quality
from tasks.develop.quality.evidence import quality_evidence

__all__ = ["check_quality", "judge", "quality_evidence", "require_quality"]
