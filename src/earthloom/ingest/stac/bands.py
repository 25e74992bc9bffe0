"""What an item says of the bands of an asset: one shape for all versions of STAC.

STAC 1.1 has `bands`, whose fields fall back to the asset's; before that `eo:bands` and `raster:bands` stood side by
side. What a collection says of an asset in `item_assets` holds where the item's own asset is silent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.geo.bands import find_numbered_band
from earthloom.ingest.stac.document import Json

_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""How JSON has to write what is no number (STAC raster extension 1.1, `nodata`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatedBand:
    """One band of an asset; None for what the item does not say."""

    index: int
    """From 1."""
    name: str | None = None
    common_name: str | None = None
    """As in STAC's Electro-Optical extension."""
    gsd_m: float | None = None
    nodata: float | None = None
    scale: float | None = None
    offset: float | None = None
    unit: str | None = None


def list_bands(asset: Json, properties: Json) -> list[StatedBand]:
    """List the bands that an asset is said to have; empty where nothing is said. Raises RecordError BAD_FACTS."""
    bands = _objects(asset, "bands")
    if not bands:
        optical, measured = _objects(asset, "eo:bands"), _objects(asset, "raster:bands")
        bands = [{**(numbers or {}), **(colour or {})} for colour, numbers in zip_longest(optical, measured)]
    return [state_band(asset, properties, index, band) for index, band in enumerate(bands, 1)]


def state_band(asset: Json, properties: Json, index: int, band: Json | None = None) -> StatedBand:
    """Say what is known of one band, by its own fields or the asset's."""
    said = band or {}
    name = said.get("name")
    common = said.get("eo:common_name") or said.get("common_name")
    numbered = None if common or name is None else _find_numbered(str(name), properties)
    return StatedBand(
        index=index,
        name=None if name is None else str(name),
        common_name=str(common) if common else numbered,
        gsd_m=_number(said, asset, "raster:spatial_resolution", "spatial_resolution", "gsd"),
        nodata=_number(said, asset, "nodata", "file:nodata"),
        scale=_number(said, asset, "raster:scale", "scale"),
        offset=_number(said, asset, "raster:offset", "offset"),
        unit=next((str(place["unit"]) for place in (said, asset) if place.get("unit")), None),
    )


def merge_asset(asset: Json, collection: Json | None, key: str) -> Json:
    """An asset with what its collection says of all assets of this key."""
    templates = (collection or {}).get("item_assets")
    template = templates.get(key) if isinstance(templates, dict) else None
    return {**template, **asset} if isinstance(template, dict) else asset


def _find_numbered(name: str, properties: Json) -> str | None:
    platform = properties.get("platform") or properties.get("constellation")
    band = find_numbered_band(name, platform=str(platform)) if platform else None
    return None if band is None else band.name


def _objects(asset: Json, name: str) -> list[Json]:
    values = asset.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise RecordError(Reason.BAD_FACTS, f"{name}: wanted a list of objects, got {values!r}"[:200])
    return values


def _number(band: Json, asset: Json, *names: str) -> float | None:
    """The first of some fields that is there, in the band, then in the asset."""
    found = [place[name] for place in (band, asset) for name in names if place.get(name) is not None]
    return None if not found else to_number(names[0], found[0])


def to_number(name: str, value: Any) -> float:
    """Read a number of an item; raises RecordError BAD_FACTS."""
    if isinstance(value, str) and value.lower() in _NUMBERS:
        return _NUMBERS[value.lower()]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RecordError(Reason.BAD_FACTS, f"{name}: wanted a number, got {value!r}"[:200])
    return float(value)
