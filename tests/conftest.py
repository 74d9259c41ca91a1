"""Settings for all tests: property tests without a deadline, the same examples in every run."""

from hypothesis import settings

# The first example of a test pays for imports, and the machines of others may be busy.
settings.register_profile("assay", deadline=None, derandomize=True, database=None)
settings.load_profile("assay")
