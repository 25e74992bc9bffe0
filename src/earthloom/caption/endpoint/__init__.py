"""Getting answers from an endpoint: over HTTP while the run waits, or by way of batch files."""
