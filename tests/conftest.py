"""Settings for all tests: offline, property tests without a deadline, the same examples in every run."""

import os

from hypothesis import settings

from infra.config.environment import force_offline

# Libraries read these when they are imported, and any test may be the first to import them.
for name in force_offline({}):
    os.environ[name] = "1"

# The first example of a test pays for imports, and the machines of others may be busy.
settings.register_profile("assay", deadline=None, derandomize=True, database=None)
settings.load_profile("assay")
