"""Samples of releases in a deterministic, shuffled, endless row: instant start, constant memory, no torch."""
