"""Operate: read what the gateway served, compare it with its limits, tell people."""
