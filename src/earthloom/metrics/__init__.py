"""Measures of pictures and of sets of features: pure functions on arrays, no file, no network, no weights."""
