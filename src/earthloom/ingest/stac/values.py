"""What the numbers of a band mean: nodata, scale and offset from the item, the file or the mission, exactly once."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import replace
from functools import cache

from earthloom.core.records import Modality, Quantity
from earthloom.geo.platforms import name_platform
from earthloom.ingest.layers import BandSource
from earthloom.ingest.stac.bands import StatedBand
from earthloom.ingest.stac.document import Json

_LOG = logging.getLogger(__name__)

_BASELINE = re.compile(r"N?(\d{2})\.?(\d{2})")
_S2_SCALE = 1e-4
"""1 / QUANTIFICATION_VALUE of Sentinel-2 Level-1C and Level-2A (product specification, S2-PDGS-TAS-DI-PSD)."""
_S2_OFFSET = -0.1
"""RADIO_ADD_OFFSET and BOA_ADD_OFFSET of -1000 counts from processing baseline 04.00 on (25 January 2022)."""
_S2_OFFSET_SINCE = (4, 0)
_LANDSAT_C2 = (2.75e-5, -0.2)
"""Surface reflectance of Landsat Collection 2 Level-2 (USGS, LSDS-1619, scale factors)."""
_LANDSAT_L2 = frozenset(("L2SP", "L2SR"))
_LANDSAT_COLLECTIONS = frozenset(("landsat-c2l2-sr", "landsat-c2-l2"))
"""As USGS and those who took them over call them; old items do not state the level otherwise."""


def settle_values(band: BandSource, stated: StatedBand, item: Json) -> BandSource:
    """Give a band with the nodata, scale and offset that hold: physical value = scale * stored + offset.

    The first row that applies decides. It gives both numbers, so nothing is applied twice:

    | what is known                                                          | scale, offset               |
    |------------------------------------------------------------------------|-----------------------------|
    | Sentinel-2 L1C or L2A, 16-bit, `earthsearch:boa_offset_applied: true`   | 1e-4, 0                     |
    | the same, processing baseline known, before 04.00                      | 1e-4, 0                     |
    | the same, processing baseline known, 04.00 or later                    | 1e-4, -0.1                  |
    | the item states scale or offset (`raster:bands`, `bands`)              | as stated, else 1 and 0; a  |
    |                                                                        | half that the file agrees   |
    |                                                                        | with: both from the file    |
    | the file has a scale or an offset                                      | the file's                  |
    | Landsat Collection 2 Level-2 surface reflectance, 16-bit               | 2.75e-5, -0.2               |
    | nothing                                                                | 1, 0                        |

    For Sentinel-2 the mission decides because catalogs are known to state an offset that the pixels do not have,
    and the other way round; a statement that contradicts it is logged once. Where item or file state another
    *scale* than 1e-4, somebody has rewritten the pixels, and what is stated holds. `nodata` is the item's, else the
    file's, else 0 for Sentinel-2 (special value NODATA of the product specification).
    """
    mission = _find_sentinel2(band, stated, item["properties"])
    scale, offset = mission or _find_stated(band, stated) or _find_landsat(band, item) or (1.0, 0.0)
    nodata = stated.nodata if stated.nodata is not None else band.nodata
    if nodata is None and mission is not None:
        nodata = 0.0
    return replace(band, nodata=nodata, scale=scale, offset=offset)


def find_quantity(
    modality: Modality, dtype: str, stated: StatedBand, asset_name: str, properties: Json
) -> Quantity | None:
    """What the item says that the numbers of SAR are; None for optical images and where it says nothing.

    `dB` as the unit of a band; ground range products (GRD) in integers hold amplitude, and terrain-corrected ones
    (RTC) in floats hold gamma nought as power, unless the asset's name says decibels.
    """
    if modality is not Modality.SAR or dtype == "uint8":
        return None
    if (stated.unit or "").lower() in {"db", "decibel", "decibels"} or "db" in asset_name.lower().split("_"):
        return Quantity.DB
    product = str(properties.get("sar:product_type") or properties.get("product:type") or "").upper()
    if product.startswith("RTC") and dtype.startswith("float"):
        return Quantity.INTENSITY
    return Quantity.AMPLITUDE if "GRD" in product and "int" in dtype else None


def _find_stated(band: BandSource, stated: StatedBand) -> tuple[float, float] | None:
    from_file = (band.scale, band.offset)
    if stated.scale is None and stated.offset is None:
        return from_file if from_file != (1.0, 0.0) else None
    if (stated.scale is None and stated.offset == band.offset) or (
        stated.offset is None and stated.scale == band.scale
    ):
        return from_file
    return (1.0 if stated.scale is None else stated.scale), stated.offset or 0.0


def _find_sentinel2(band: BandSource, stated: StatedBand, properties: Json) -> tuple[float, float] | None:
    baseline = _find_baseline(properties)
    is_applied = properties.get("earthsearch:boa_offset_applied") is True
    if band.dtype not in {"uint16", "int16"} or not _is_sentinel2(properties):
        return None
    if baseline is None and not is_applied:
        return None
    said = _find_stated(band, stated)
    if said is not None and not any(math.isclose(said[0], scale, rel_tol=1e-6) for scale in (_S2_SCALE, 1.0)):
        return None
    offset = _S2_OFFSET if baseline is not None and baseline >= _S2_OFFSET_SINCE and not is_applied else 0.0
    if said is not None and said[0] != 1.0 and not math.isclose(said[1], offset, rel_tol=1e-6):
        baseline_text = "unknown" if baseline is None else f"{baseline[0]:02}.{baseline[1]:02}"
        _warn_once(f"processing baseline {baseline_text}", said[1], offset)
    return _S2_SCALE, offset


@cache
def _warn_once(what: str, said: float, held: float) -> None:
    _LOG.warning(
        "Sentinel-2, %s: an item or file states the offset %g, but the pixels have %g", what, said, held
    )


def _is_sentinel2(properties: Json) -> bool:
    names = (properties.get("platform"), properties.get("constellation"))
    return any(isinstance(name, str) and name_platform(name) == "Sentinel-2" for name in names)


def _find_baseline(properties: Json) -> tuple[int, int] | None:
    """The processing baseline of ESA's own products; None for what others made of them, such as HLS."""
    text = properties.get("s2:processing_baseline") or properties.get("sentinel2:processing_baseline")
    product = str(properties.get("product:type") or properties.get("s2:product_type") or "")
    if text is None and product.startswith("S2MSI"):
        text = properties.get("processing:version")
    match = _BASELINE.fullmatch(str(text).strip()) if text is not None else None
    return None if match is None else (int(match[1]), int(match[2]))


def _find_landsat(band: BandSource, item: Json) -> tuple[float, float] | None:
    properties = item["properties"]
    is_level_2 = (
        properties.get("landsat:correction") in _LANDSAT_L2 or item.get("collection") in _LANDSAT_COLLECTIONS
    )
    is_collection_2 = str(properties.get("landsat:collection_number")) in {"02", "2"}
    return _LANDSAT_C2 if is_collection_2 and is_level_2 and band.dtype == "uint16" else None
