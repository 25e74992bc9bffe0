"""Scenes into tiles: windows planned from headers, true ground sample distances, proper resampling, radiometry."""

from __future__ import annotations

from earthloom.tile.config import TileSettings
from earthloom.tile.cut import TILE_VERSION, count_windows, cut_tiles

__all__ = ["TILE_VERSION", "TileSettings", "count_windows", "cut_tiles"]
