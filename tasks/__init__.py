"""What each phase does: pure functions first, thin Prefect shells last."""
