"""Scenes into tiles: windows planned from headers, true ground sample distances, proper resampling, radiometry."""

from __future__ import annotations

from earthloom.tile.classes import check_classes
from earthloom.tile.config import TileSettings
from earthloom.tile.cut import TILE_VERSION, count_windows, cut_tiles
from earthloom.tile.network import load_network

__all__ = ["TILE_VERSION", "TileSettings", "check_classes", "count_windows", "cut_tiles", "load_network"]
