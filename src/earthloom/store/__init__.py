"""At rest: every path name, tables, shards, manifests, atomic writes."""
