"""Intervals, paired comparisons and tests: what evidence and gates of every phase are computed with."""
