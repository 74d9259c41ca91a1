"""Benchmark: what a candidate gets right, directly and as it is served, what it forgot, and what it costs.

evidence = benchmark_evidence(Measured(unit, results), Measured(base, base_results), dataset=digest)
"""

from tasks.validate.benchmark.quality import Measured, benchmark_evidence, check_same_items
from tasks.validate.benchmark.scoring import Answer, Scorer, score_items

__all__ = ["Answer", "Measured", "Scorer", "benchmark_evidence", "check_same_items", "score_items"]
