from __future__ import annotations

import math
import time

import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod, Proj, Transformer

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.geo.ellipsoid import metres_per_degree
from earthloom.geo.grid import Grid

GEOD = Geod(ellps="WGS84")
UTM = Grid("EPSG:32633", (10.0, 0.0, 400_000.0, 0.0, -10.0, 5_600_000.0), 3000, 2000)
GEOGRAPHIC = Grid("EPSG:4326", (9e-5, 0.0, -0.78189, 0.0, -9e-5, 38.12881), 512, 512)
POLAR = Grid("EPSG:3031", (529.16, 0.0, 733_785.0, 0.0, -527.99, 494_415.0), 512, 512)
MERCATOR = Grid("EPSG:3857", (1.19433, 0.0, 1_300_000.0, 0.0, -1.19433, 8_400_000.0), 4096, 4096)
ROTATED = Grid("EPSG:32759", (-0.143, -0.57678, 337_934.48, -0.57678, 0.143, 7_840_518.46), 2000, 2000)
FEET = Grid("EPSG:2263", (0.5, 0.0, 980_000.0, 0.0, -0.5, 200_000.0), 5000, 5000)
ALL = {
    "utm": UTM,
    "geographic": GEOGRAPHIC,
    "polar": POLAR,
    "mercator": MERCATOR,
    "rotated": ROTATED,
    "feet": FEET,
}


def neighbours_apart(grid: Grid, col: float, row: float) -> tuple[float, float]:
    """Distances of the pixel centres half a pixel around a position, by pyproj alone."""
    transformer = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    a, b, c, d, e, f = grid.transform
    points = [(col - 0.5, row), (col + 0.5, row), (col, row - 0.5), (col, row + 0.5)]
    lons, lats = transformer.transform(
        [a * x + b * y + c for x, y in points], [d * x + e * y + f for x, y in points]
    )
    return GEOD.inv(lons[0], lats[0], lons[1], lats[1])[2], GEOD.inv(lons[2], lats[2], lons[3], lats[3])[2]


def area_of(footprint: bytes) -> float:
    """Square metres; positive for counter-clockwise rings."""
    parts = shapely.get_parts(shapely.from_wkb(footprint))
    return sum(GEOD.geometry_area_perimeter(part)[0] for part in parts)


@pytest.mark.parametrize("grid", ALL.values(), ids=ALL)
@pytest.mark.parametrize("where", [(0, 0), (0.5, 0.5), (1, 0.2)])
def test_distances_are_geodesic_between_neighbouring_pixels(grid, where):
    col, row = where[0] * grid.width, where[1] * grid.height
    assert grid.gsd_at(col, row) == pytest.approx(neighbours_apart(grid, col, row), rel=1e-5)


@pytest.mark.parametrize("grid", [UTM, POLAR, FEET], ids=["utm", "polar", "feet"])
def test_distances_of_a_projection_are_pixels_over_its_scale(grid):
    lon, lat = grid.lonlat_at(grid.width / 2, grid.height / 2)
    factors = Proj(grid.crs).get_factors(lon, lat)
    metre = CRS(grid.crs).axis_info[0].unit_conversion_factor
    x_m, y_m = grid.gsd_at(grid.width / 2, grid.height / 2)
    scale = math.sqrt(factors.areal_scale)
    assert math.sqrt(x_m * y_m) == pytest.approx(
        math.sqrt(abs(grid.transform[0] * grid.transform[4])) * metre / scale, rel=1e-4
    )


def test_degrees_become_metres_by_the_closed_form():
    x_m, y_m = GEOGRAPHIC.gsd_at(256, 256)
    _, lat = GEOGRAPHIC.lonlat_at(256, 256)
    north, east = metres_per_degree(lat)
    assert (x_m, y_m) == pytest.approx((9e-5 * east, 9e-5 * north), rel=1e-7)


@pytest.mark.parametrize("lat", [0.0, 38.0, 60.0, -75.0])
def test_web_mercator_shrinks_with_the_cosine_of_latitude(lat):
    north = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(0, lat)[1]
    pixel = 156543.03392804 / 2**17
    x_m, y_m = Grid("EPSG:3857", (pixel, 0.0, 0.0, 0.0, -pixel, north), 512, 512).gsd_at(0, 0)
    assert math.sqrt(x_m * y_m) == pytest.approx(1.19433 * math.cos(math.radians(lat)), rel=0.005), "sphere"
    degree_m = 2**17 * 256 * pixel / 360
    degree_north_m, degree_east_m = metres_per_degree(lat)
    stretch = math.cos(math.radians(lat)) / degree_m
    assert (x_m, y_m) == pytest.approx(
        (pixel / degree_m * degree_east_m, pixel * stretch * degree_north_m), rel=1e-6
    )


def test_a_rotated_grid_has_the_length_of_its_columns():
    x_m, y_m = ROTATED.gsd_at(1000, 1000)
    assert (x_m, y_m) == pytest.approx((math.hypot(0.143, 0.57678),) * 2, rel=1.5e-3), "UTM's scale is near 1"


@pytest.mark.parametrize("grid", ALL.values(), ids=ALL)
def test_a_footprint_covers_the_area_of_its_pixels(grid):
    place = grid.locate()
    wanted = grid.width * grid.height * place.gsd_x_m * place.gsd_y_m
    assert area_of(place.footprint) == pytest.approx(wanted, rel=0.01), "counter-clockwise, too"
    polygon = shapely.from_wkb(place.footprint)
    assert polygon.is_valid
    assert polygon.covers(shapely.Point(place.lon, place.lat))


@pytest.mark.parametrize("grid", ALL.values(), ids=ALL)
def test_corners_of_a_crop_lie_where_pyproj_puts_them(grid):
    transformer = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    a, b, c, d, e, f = grid.transform
    outline = shapely.from_wkb(grid.footprint(100, 50, 64, 32)).exterior
    for col, row in [(100, 50), (164, 50), (164, 82), (100, 82)]:
        lon, lat = transformer.transform(a * col + b * row + c, d * col + e * row + f)
        assert outline.distance(shapely.Point(lon, lat)) < 1e-8


@given(
    zone=st.integers(1, 60),
    north=st.floats(1e5, 9e6),
    east=st.floats(3e5, 7e5),
    pixel=st.floats(0.05, 60),
    angle=st.floats(0, 2 * math.pi),
    size=st.integers(20, 4000),
)
def test_any_utm_crop_is_a_valid_outline_of_its_area_around_its_centre(zone, north, east, pixel, angle, size):
    cos, sin = pixel * math.cos(angle), pixel * math.sin(angle)
    place = Grid(f"EPSG:{32600 + zone}", (cos, sin, east, sin, -cos, north), size, size).locate()
    assert -180 <= place.lon < 180
    assert area_of(place.footprint) == pytest.approx(size**2 * place.gsd_x_m * place.gsd_y_m, rel=0.005)
    assert shapely.from_wkb(place.footprint).is_valid
    assert place.gsd_m == pytest.approx(pixel, rel=2e-3)


def test_long_edges_follow_the_projection():
    grid = Grid("EPSG:3035", (100.0, 0.0, 3_000_000.0, 0.0, -100.0, 4_600_000.0), 20_000, 4_000)
    outline = shapely.from_wkb(grid.footprint()).exterior
    transformer = Transformer.from_crs("EPSG:3035", "EPSG:4326", always_xy=True)
    middle = shapely.Point(*transformer.transform(4_062_500.0, 4_600_000.0))
    straight = shapely.LineString([outline.coords[0], outline.coords[-2]])
    assert len(outline.coords) > 60
    assert outline.distance(middle) < 0.03
    assert straight.distance(middle) > 0.3, "four corners alone would be far off"


def test_a_scene_across_the_antimeridian_is_cut_in_two():
    grid = Grid("EPSG:32660", (10.0, 0.0, 800_000.0, 0.0, -10.0, 100_000.0), 5000, 5000)
    place = grid.locate()
    shape = shapely.from_wkb(place.footprint)
    assert shape.geom_type == "MultiPolygon"
    west, _, east, _ = shape.bounds
    assert (west, east) == (-180, 180)
    assert max(part.bounds[2] - part.bounds[0] for part in shape.geoms) < 1
    assert area_of(place.footprint) == pytest.approx(25e6 * place.gsd_x_m * place.gsd_y_m, rel=0.003)


def test_a_scene_around_a_pole_reaches_to_the_pole():
    grid = Grid("EPSG:3031", (1000.0, 0.0, -1_000_000.0, 0.0, -1000.0, 1_000_000.0), 2000, 2000)
    shape = shapely.from_wkb(grid.footprint())
    assert shape.covers(shapely.MultiPoint([(0, -89.9), (179.9, -85), (-120, -82)]))
    assert not shape.covers(shapely.Point(0, -75))
    assert shape.bounds[1] == -90
    assert grid.lonlat_at(1000, 1000)[1] == -90
    assert grid.gsd_at(1000, 1000) == pytest.approx((1028, 1028), abs=1), "true scale is at 71 degrees south"


def test_longitudes_from_0_to_360_are_brought_home():
    grid = Grid("EPSG:4326", (0.25, 0.0, 0.0, 0.0, -0.25, 90.0), 1440, 720)
    assert grid.lonlat_at(800, 360) == (-160.0, 0.0)
    crossing = shapely.from_wkb(grid.footprint(600, 200, 200, 200))
    assert [round(v) for v in crossing.bounds] == [-180, -10, 180, 40]
    assert crossing.area == pytest.approx(50 * 50)
    assert shapely.from_wkb(grid.footprint()).area == pytest.approx(360 * 180)


def test_a_padded_crop_beyond_the_pole_is_clipped():
    grid = Grid("EPSG:4326", (1.0, 0.0, -180.0, 0.0, -1.0, 90.0), 360, 180)
    assert shapely.from_wkb(grid.footprint(0, 120, 100, 100)).bounds == (-180, -90, -80, -30)


def test_an_image_without_a_grid_has_no_place():
    for grid in (
        Grid(None, None, 10, 10),
        Grid("EPSG:4326", None, 10, 10),
        Grid(None, UTM.transform, 10, 10),
    ):
        assert not grid.is_georeferenced
        assert [grid.locate(), grid.gsd_at(1, 1), grid.lonlat_at(1, 1), grid.footprint()] == [None] * 4


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:999999", UTM.transform),
        ("no reference system", UTM.transform),
        ('LOCAL_CS["a site",UNIT["metre",1]]', UTM.transform),
        ("EPSG:4326", (10.0, 0.0, 400_000.0, 0.0, -10.0, 5_600_000.0)),
        ("EPSG:32633", (10.0, 0.0, 1e12, 0.0, -10.0, 1e12)),
        ("EPSG:32633", (0.0, 0.0, 400_000.0, 0.0, -10.0, 5_600_000.0)),
    ],
)
def test_an_unusable_grid_is_refused(crs, transform):
    with pytest.raises(RecordError) as caught:
        Grid(crs, transform, 100, 100).locate()
    assert caught.value.reason is Reason.BAD_GRID
    with pytest.raises(RecordError):
        Grid(crs, transform, 100, 100).gsd_at(50, 50)


def test_vertices_beyond_the_projection_are_left_out():
    grid = Grid("ESRI:54009", (50_000.0, 0.0, -18_500_000.0, 0.0, -50_000.0, 9_100_000.0), 740, 364)
    assert grid.footprint(0, 0, 10, 10) is None, "a corner of Mollweide's rectangle shows no ground"
    assert shapely.from_wkb(grid.footprint(300, 0, 140, 364)).is_valid


REAL = [
    "naip/m_4709963_se_14_1_20170827.tif",
    "sentinel_spain/Spain_7370579_S1Hand.tif",
    "umbra/umbra_mount_yasur.tiff",
    "landsat8_c2/LC08_L2SR_099120_20191129_20201016_02_T2_SR_B4.TIF",
    "landsat8_c2_stac/LC08_L2SP_008059_20191201_20200825_02_T1_SR_B4.TIF",
    "landsat7/RGB.byte.tif",
    "aerial/OSBS_029.tif",
]


@pytest.mark.parametrize("name", REAL)
def test_real_grids_agree_with_pyproj(real_data, name):
    with rasterio.open(real_data / name) as dataset:
        grid = Grid(dataset.crs.to_string(), tuple(dataset.transform)[:6], dataset.width, dataset.height)
        corner = dataset.xy(200, 100, offset="ul")
        crs = dataset.crs.to_wkt()
    assert grid.gsd_at(123, 45) == pytest.approx(neighbours_apart(grid, 123, 45), rel=1e-5)
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(*corner)
    assert grid.lonlat_at(100, 200) == pytest.approx((lon, lat), abs=1e-8)


def test_facts_of_a_tile_are_cheap():
    UTM.locate(0, 0, 512, 512)
    start = time.process_time()
    for i in range(200):
        UTM.locate(i, i, 512, 512)
    assert (time.process_time() - start) / 200 < 1e-3, "aimed at 150 us; ten times that would be a fault"
