"""The grid of an image as a value: where its pixels lie on the Earth, and how far apart they truly are.

Coordinates of pixels are (col, row), continuous, with (0, 0) at the outer corner of the first pixel and
(0.5, 0.5) at its centre. Distances are geodesic, on the WGS 84 ellipsoid, so a pixel of Web Mercator or of a
geographic grid is as wide as it is at its latitude.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError
from shapely.affinity import translate
from shapely.geometry.polygon import orient

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason, Scene

Transform = tuple[float, float, float, float, float, float]
Floats = Sequence[float]
Crop = tuple[float, float, float, float]
"""(col, row, width, height) in pixels; may reach beyond the grid."""

_SEGMENT_M = 10_000.0
"""Edges of a footprint get a vertex every 10 km: a straight line of a projected grid then strays from the
straight line between two longitudes and latitudes by under 4 m at 70 degrees."""
_MAX_SEGMENTS = 16
_METRES_PER_RADIAN = 6_371_000.0
_DECIMALS = 9
"""Of degrees: 0.1 mm. Rounding keeps ids and files equal where two builds of PROJ differ in the last bit."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a crop lies."""

    gsd_x_m: float
    """Ground distance between neighbouring pixel centres along a row, metres, at the crop's centre."""
    gsd_y_m: float
    """Along a column."""
    lon: float
    lat: float
    """Of the crop's centre, degrees, WGS 84; longitude in [-180, 180)."""
    footprint: bytes | None
    """WKB, as `Grid.footprint` gives it."""

    @property
    def gsd_m(self) -> float:
        """Geometric mean of both axes."""
        return math.sqrt(self.gsd_x_m * self.gsd_y_m)


@dataclass(frozen=True, slots=True)
class Grid:
    """Size and geo-reference of an image. Without crs or transform every question about places answers None.

    All methods raise RecordError(BAD_GRID) when the geo-reference cannot be used.
    """

    crs: str | None
    """`EPSG:n`, WKT or anything else that PROJ reads."""
    transform: Transform | None
    """(a, b, c, d, e, f): x = a*col + b*row + c, y = d*col + e*row + f, in the unit of `crs`."""
    width: int
    height: int

    @property
    def is_georeferenced(self) -> bool:
        """True when pixels have places."""
        return self.crs is not None and self.transform is not None

    def locate(
        self, col: float = 0, row: float = 0, width: float | None = None, height: float | None = None
    ) -> Place | None:
        """Measure ground sample distance, centre and footprint of a crop (or of the whole) at once."""
        if self.crs is None or self.transform is None:
            return None
        crop = self._crop(col, row, width, height)
        ring = _ring(self.transform, _reference(self.crs).unit_m, crop)
        cross = _cross(crop[0] + crop[2] / 2, crop[1] + crop[3] / 2)
        lons, lats = _project(self.transform, self.crs, [*ring[0], *cross[0]], [*ring[1], *cross[1]])
        n = len(ring[0])
        gsd_x_m, gsd_y_m = _measure(lons[n:], lats[n:])
        footprint = _encode_ring(lons[:n], lats[:n])
        return Place(gsd_x_m, gsd_y_m, _wrap(lons[-1]), round(lats[-1], _DECIMALS), footprint)

    def gsd_at(self, col: float, row: float) -> tuple[float, float] | None:
        """Ground distance between pixel centres along rows and along columns at a position, metres.

        Measured over two pixels around the position.
        """
        if self.crs is None or self.transform is None:
            return None
        return _measure(*_project(self.transform, self.crs, *_cross(col, row)))

    def lonlat_at(self, col: float, row: float) -> tuple[float, float] | None:
        """Longitude in [-180, 180) and latitude of a position, degrees, WGS 84."""
        if self.crs is None or self.transform is None:
            return None
        lons, lats = _project(self.transform, self.crs, [col], [row])
        _check_centre(lons[0], lats[0])
        return _wrap(lons[0]), round(lats[0], _DECIMALS)

    def footprint(
        self, col: float = 0, row: float = 0, width: float | None = None, height: float | None = None
    ) -> bytes | None:
        """Outline of a crop (of the whole by default) as WKB, longitude and latitude in degrees, WGS 84.

        A counter-clockwise polygon; a multi-polygon cut at 180 degrees for a crop across the antimeridian (as
        RFC 7946 asks). None where fewer than three vertices lie in the domain of the projection.
        """
        if self.crs is None or self.transform is None:
            return None
        crop = self._crop(col, row, width, height)
        ring = _ring(self.transform, _reference(self.crs).unit_m, crop)
        return _encode_ring(*_project(self.transform, self.crs, *ring))

    def _crop(self, col: float, row: float, width: float | None, height: float | None) -> Crop:
        return col, row, self.width if width is None else width, self.height if height is None else height


def grid_of(scene: Scene) -> Grid:
    """Give the grid of a scene."""
    return Grid(scene.crs, scene.transform, scene.width, scene.height)


@dataclass(frozen=True, slots=True)
class _Reference:
    transformer: Transformer
    unit_m: float
    """Rough length of one unit of the reference system, metres."""


@lru_cache(maxsize=256)
def _reference(crs: str) -> _Reference:
    try:
        system = CRS.from_user_input(crs)
        transformer = Transformer.from_crs(system, "EPSG:4326", always_xy=True)
        factor = system.axis_info[0].unit_conversion_factor
    except (CRSError, ProjError, IndexError) as error:
        raise RecordError(Reason.BAD_GRID, f"unusable reference system {crs[:80]!r}: {error}") from error
    return _Reference(transformer, factor * (_METRES_PER_RADIAN if system.is_geographic else 1.0))


_WGS84 = Geod(ellps="WGS84")


def _ring(transform: Transform, unit_m: float, crop: Crop) -> tuple[list[float], list[float]]:
    """Walk around a crop, unclosed: down its left edge first, counter-clockwise where north is up."""
    a, b, _, d, e, _ = transform
    col, row, width, height = crop
    n_down = _count_segments(height * math.hypot(b, e) * unit_m)
    n_across = _count_segments(width * math.hypot(a, d) * unit_m)
    down = [row + height * i / n_down for i in range(n_down)]
    across = [col + width * i / n_across for i in range(n_across)]
    up = [row + height * (1 - i / n_down) for i in range(n_down)]
    back = [col + width * (1 - i / n_across) for i in range(n_across)]
    cols = [col] * n_down + across + [col + width] * n_down + back
    rows = down + [row + height] * n_across + up + [row] * n_across
    return cols, rows


def _project(t: Transform, crs: str, cols: Floats, rows: Floats) -> tuple[list[float], list[float]]:
    """Turn positions into longitudes and latitudes; infinite where the projection has no inverse."""
    a, b, c, d, e, f = t
    x = [a * col + b * row + c for col, row in zip(cols, rows, strict=True)]
    y = [d * col + e * row + f for col, row in zip(cols, rows, strict=True)]
    lons, lats = _reference(crs).transformer.transform(x, y)
    return lons, lats


def _count_segments(length_m: float) -> int:
    return max(1, min(_MAX_SEGMENTS, math.ceil(length_m / _SEGMENT_M)))


def _cross(col: float, row: float) -> tuple[list[float], list[float]]:
    """Give the pixel left, right, above and below of a position, then the position."""
    return [col - 1, col + 1, col, col, col], [row, row, row - 1, row + 1, row]


def _measure(lons: Floats, lats: Floats) -> tuple[float, float]:
    """Ground distances per pixel along rows and columns from the points of `_cross`."""
    _check_centre(lons[4], lats[4])
    lats = [max(-90.0, min(90.0, lat)) for lat in lats]
    _, _, (x_m, y_m) = _WGS84.inv(
        [lons[0], lons[2]], [lats[0], lats[2]], [lons[1], lons[3]], [lats[1], lats[3]]
    )
    if not (0 < x_m < math.inf and 0 < y_m < math.inf):
        raise RecordError(
            Reason.BAD_GRID,
            f"pixels are {x_m / 2:g} x {y_m / 2:g} m on the ground at {lons[4]:g}, {lats[4]:g}",
        )
    return x_m / 2, y_m / 2


def _check_centre(lon: float, lat: float) -> None:
    if not (abs(lat) <= 90 + 1e-9 and abs(lon) <= 540):
        raise RecordError(
            Reason.BAD_GRID, f"the geo-reference puts the image at longitude {lon:g}, latitude {lat:g}"
        )


def _wrap(lon: float) -> float:
    return round((lon + 180) % 360 - 180, _DECIMALS) if not -180 <= lon < 180 else round(lon, _DECIMALS)


def _encode_ring(lons: Floats, lats: Floats) -> bytes | None:
    points = [
        (round(lon, _DECIMALS), round(max(-90.0, min(90.0, lat)), _DECIMALS))
        for lon, lat in zip(lons, lats, strict=True)
        if math.isfinite(lon) and math.isfinite(lat)
    ]
    if len(points) < 3:
        return None
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    if east - west < 180 and west >= -180 and east <= 180:
        polygon = shapely.polygons(_orient([*points, points[0]]))
    else:
        polygon = _cut_at_antimeridian(points)
    return bytes(shapely.to_wkb(polygon))


def _orient(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Make a closed ring counter-clockwise (shoelace formula)."""
    doubled_area = sum((x0 - x1) * (y0 + y1) for (x0, y0), (x1, y1) in pairwise(ring))
    return ring if doubled_area >= 0 else ring[::-1]


def _cut_at_antimeridian(points: list[tuple[float, float]]) -> shapely.Geometry:
    """Undo jumps of a ring in longitude, close it over a pole that it surrounds, cut it at 180 degrees."""
    ring = np.array([*points, points[0]])
    ring[:, 0] = np.unwrap(ring[:, 0], period=360)
    if abs(ring[-1, 0] - ring[0, 0]) > 180:
        pole = math.copysign(90, ring[:, 1].mean())
        ring = np.vstack([ring, [ring[-1, 0], pole], [ring[0, 0], pole], ring[:1]])
    polygon = shapely.make_valid(shapely.polygons(ring))
    turns = range(math.floor((ring[:, 0].min() + 180) / 360), math.ceil((ring[:, 0].max() + 180) / 360))
    globe = shapely.box(-180, -90, 180, 90)
    pieces = [shapely.intersection(translate(polygon, xoff=-360.0 * turn), globe) for turn in turns]
    parts = shapely.get_parts(shapely.union_all([p for p in shapely.get_parts(pieces) if p.area > 0]))
    oriented = [orient(part) for part in parts]
    return oriented[0] if len(oriented) == 1 else shapely.multipolygons(oriented)
