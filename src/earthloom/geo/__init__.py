"""Ground sample distance, grids, windows of rasters, vocabularies, places: where pixels lie on the Earth."""
