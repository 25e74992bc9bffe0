"""Ground sample distance, grids, windows of rasters, platforms: where pixels lie on the Earth."""
