"""What a recipe asks for, held against an item here: for catalogs without a server, and servers that ignore it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.geometry import box, shape

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.document import Json
from earthloom.ingest.stac.intervals import Interval, parse_interval, parse_time

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def is_wanted(settings: StacSettings, item: Json) -> bool:
    """Tell whether an item is what the recipe asks for. Raises RecordError BAD_FACTS where it cannot be told.

    An item that does not say where or when it is, or how cloudy, is not wanted where that is asked for.
    """
    properties = item["properties"]
    return (
        (not settings.collections or item.get("collection") in settings.collections)
        and (settings.cloud_cover is None or _has_few_clouds(properties, settings.cloud_cover))
        and (settings.datetime is None or _overlaps(_span_of(properties), parse_interval(settings.datetime)))
        and (settings.bbox is None or _touches(item, settings.bbox))
    )


def _has_few_clouds(properties: Json, limit: float) -> bool:
    cover = properties.get("eo:cloud_cover")
    if cover is not None and (isinstance(cover, bool) or not isinstance(cover, (int, float))):
        raise RecordError(Reason.BAD_FACTS, f"eo:cloud_cover: wanted percent, got {cover!r}")
    return cover is not None and 0 <= cover <= limit


def _span_of(properties: Json) -> Interval:
    """When an item was acquired; an item with an interval also has a moment in it, which may be null."""
    try:
        start, end = properties.get("start_datetime"), properties.get("end_datetime")
        if start is not None and end is not None:
            return parse_time(start), parse_time(end)
        first, last = parse_interval(properties["datetime"])  # a day stands for all of it
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(Reason.BAD_FACTS, f"datetime: wanted RFC 3339 ({error})") from error
    return first, last


def _overlaps(one: Interval, other: Interval) -> bool:
    first = max(one[0] or _FIRST, other[0] or _FIRST)
    return first <= min(one[1] or _LAST, other[1] or _LAST)


def _touches(item: Json, bbox: tuple[float, float, float, float]) -> bool:
    ground = read_geometry(item)
    west, south, east, north = bbox
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return ground is not None and any(ground.intersects(box(w, south, e, north)) for w, e in spans)


def read_geometry(item: Json) -> shapely.Geometry | None:
    """The ground of an item, longitude and latitude, degrees; None where it has none. Raises RecordError BAD_FACTS."""
    ground = read_shape(item)
    if ground is None:
        return None
    west, south, east, north = ground.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise RecordError(Reason.BAD_FACTS, f"geometry: wanted degrees, got {ground.bounds}")
    return ground


def read_shape(item: Json) -> shapely.Geometry | None:
    """The geometry of an item as it stands, wherever it lies; None where it has none. Raises RecordError BAD_FACTS."""
    geometry: Any = item.get("geometry")
    if geometry is None:
        return None
    try:
        ground = shape(geometry)
    except Exception as error:  # whatever a wrong type comes to
        raise RecordError(Reason.BAD_FACTS, f"geometry: wanted GeoJSON ({error})"[:200]) from error
    return None if ground.is_empty else ground
