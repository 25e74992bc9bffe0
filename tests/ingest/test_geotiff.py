"""Rasters: bands and roles, grids, facts and refusals, on files written by GDAL for the purpose."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from pydantic import ValidationError
from pyproj import Geod
from rasterio import Affine
from rasterio.enums import ColorInterp

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.ids import make_id
from earthloom.core.images import encode_jpeg, encode_png
from earthloom.core.records import Item, Modality, Provenance, Quantity, Reason, Scene
from earthloom.ingest import list_items, read_item
from earthloom.ingest.config import GeotiffSettings

UTM = {"crs": "EPSG:32632", "transform": Affine(10, 0, 500_000, 0, -10, 5_400_000)}
RGB = ("red", "green", "blue")
PICTURE = np.random.default_rng(1).integers(1, 255, (20, 30), dtype=np.uint8)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def write(
    path: Path, n: int = 3, dtype: str = "uint8", colours: tuple[str, ...] = (), **profile: object
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tags = profile.pop("tags", {})
    options = {"driver": "GTiff", "width": 30, "height": 20} | UTM | profile
    with rasterio.open(path, "w", count=n, dtype=dtype, **options) as dataset:
        shape = (dataset.height, dataset.width)
        for band in range(1, n + 1):
            dataset.write(np.resize(PICTURE, shape).astype(dtype), band)
        if colours:
            dataset.colorinterp = [ColorInterp[name] for name in colours]
        dataset.update_tags(**tags)
    return path


def source(path: str = "f", **options: object) -> GeotiffSettings:
    return GeotiffSettings.model_validate({"kind": "geotiff", "name": "src", "path": path} | options)


def listed(root: Path, settings: GeotiffSettings) -> list[Item]:
    return list(list_items(settings, root))


def read(root: Path, settings: GeotiffSettings) -> list[Scene]:
    """The scenes of the one item of a source."""
    (item,) = listed(root, settings)
    return read_item(settings, item, root, root)


def refusal(root: Path, **options: object) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read(root, source(**options))
    assert str(root) not in caught.value.detail
    return caught.value


def test_rasters_are_listed_by_suffix(tmp_path: Path) -> None:
    names = ["a.tif", "b.TIFF", "c.jp2", "d.img", "e.ntf"]
    for name in [*names, "a.vrt", "a.tif.aux.xml", "a.tif.msk", "a.tif.ovr", "a.png", "MTL.txt"]:
        (tmp_path / name).touch()
    assert [item.key for item in listed(tmp_path, source("."))] == names


def test_a_folder_without_rasters_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(UsageError, match="no rasters"):
        listed(tmp_path, source("."))


def test_roles_of_the_recipe_are_scenes_of_one_item(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 5, nodata=0)
    nir, rgb = read(tmp_path, source(bands={"rgb": [3, 2, 1], "nir": [5]}))
    assert (rgb.modality, [band.index for band in rgb.bands]) == (Modality.RGB, [3, 2, 1])
    assert (nir.modality, [band.index for band in nir.bands]) == (Modality.NIR, [5])
    assert rgb.pair_key == nir.pair_key == rgb.item_id == make_id("item", "src", "a.tif")
    assert rgb.group == nir.group == "src:a.tif"
    assert rgb.id != nir.id
    assert rgb.nodata == 0
    assert (rgb.crs, rgb.transform) == ("EPSG:32632", (10, 0, 500_000, 0, -10, 5_400_000))
    assert Provenance(fact="modality", origin="recipe") in rgb.provenance


def test_the_same_bands_in_another_order_are_another_scene(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 3)
    ids = {read(tmp_path, source(bands={"rgb": order}))[0].id for order in ([1, 2, 3], [3, 2, 1])}
    assert len(ids) == 2


def test_polarisations_are_scenes(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 2, "float32", nodata=math.nan)
    vh, vv = read(tmp_path, source(bands={"vv": [1], "vh": [2]}, looks=4.4))
    assert [(s.modality, s.polarisation, s.bands[0].index) for s in (vh, vv)] == [
        (Modality.SAR, "VH", 2),
        (Modality.SAR, "VV", 1),
    ]
    assert (vv.quantity, vv.looks) == (Quantity.DB, 4.4)
    assert vv.nodata is not None
    assert math.isnan(vv.nodata)
    assert vv.id != vh.id


def test_colour_interpretation_names_the_bands(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 4, colours=("blue", "green", "red", "undefined"))
    (scene,) = read(tmp_path, source())
    assert [band.index for band in scene.bands] == [3, 2, 1]
    assert scene.alpha is None
    write(tmp_path / "f/a.tif", 4, colours=("nir", "red", "green", "blue"))
    nir, rgb = read(tmp_path, source())
    assert (nir.modality, [band.index for band in nir.bands]) == (Modality.NIR, [1])
    assert [band.index for band in rgb.bands] == [2, 3, 4]
    assert Provenance(fact="modality", origin="raster header") in scene.provenance


def test_alpha_is_alpha_where_the_file_says_so(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 4, colours=(*RGB, "alpha"), photometric="RGB", alpha="yes")
    (scene,) = read(tmp_path, source())
    assert scene.alpha is not None
    assert scene.alpha.index == 4
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}))
    assert scene.alpha is not None
    assert scene.alpha.index == 4


def test_a_fourth_band_is_what_the_recipe_says(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 4, colours=(*RGB, "alpha"), photometric="RGB", alpha="yes")
    scenes = read(tmp_path, source(bands={"rgb": [1, 2, 3], "nir": [4]}))
    assert [(s.modality, s.alpha) for s in scenes] == [(Modality.NIR, None), (Modality.RGB, None)]
    write(tmp_path / "f/a.tif", 4)
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3], "alpha": [4]}))
    assert scene.alpha is not None
    assert scene.alpha.index == 4


@pytest.mark.parametrize("n", [1, 4])
def test_bands_of_unknown_meaning_are_refused_with_the_remedy(tmp_path: Path, n: int) -> None:
    write(tmp_path / "f/a.tif", n, colours=("gray",) + ("undefined",) * (n - 1))
    error = refusal(tmp_path)
    assert error.reason is Reason.UNSUPPORTED_PIXELS
    assert "bands: {rgb: [" in error.detail
    assert "gray" in error.detail


def test_a_band_that_is_not_there_is_missing(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 3)
    error = refusal(tmp_path, bands={"rgb": [1, 2, 3], "nir": [4]})
    assert (error.reason, error.detail) == (Reason.MISSING, "band 4 is not there; the file has 3")


@pytest.mark.parametrize(
    ("dtype", "role", "quantity"),
    [
        ("uint8", "nir", Quantity.DISPLAY),
        ("uint16", "nir", Quantity.COUNTS),
        ("float32", "nir", Quantity.COUNTS),
        ("uint8", "sar", Quantity.DISPLAY),
        ("uint16", "sar", Quantity.COUNTS),
        ("float32", "sar", Quantity.DB),
    ],
)
def test_what_numbers_mean_by_default(tmp_path: Path, dtype: str, role: str, quantity: Quantity) -> None:
    write(tmp_path / "f/a.tif", 1, dtype)
    (scene,) = read(tmp_path, source(bands={role: [1]}))
    assert (scene.quantity, scene.dtype) == (quantity, dtype)
    (scene,) = read(tmp_path, source(bands={role: [1]}, quantity="amplitude"))
    assert scene.quantity is Quantity.AMPLITUDE


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "complex_int16"])
def test_complex_pixels_are_refused(tmp_path: Path, dtype: str) -> None:
    if dtype == "complex_int16":
        with rasterio.open(
            tmp_path / "a.tif", "w", driver="GTiff", width=3, height=2, count=1, dtype=dtype, **UTM
        ):
            pass
    else:
        write(tmp_path / "a.tif", 1, dtype)
    assert refusal(tmp_path, path="a.tif", bands={"sar": [1]}).reason is Reason.UNSUPPORTED_PIXELS


def test_scale_offset_and_nodata_come_from_header_or_recipe(tmp_path: Path) -> None:
    with rasterio.open(write(tmp_path / "f/a.tif", 3, "uint16", nodata=7), "r+") as dataset:
        dataset.scales, dataset.offsets = (2.75e-5,) * 3, (-0.2,) * 3
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}))
    assert (scene.scale, scene.offset, scene.nodata) == (2.75e-5, -0.2, 7)
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}, scale=1e-4, offset=-1000, nodata=math.nan))
    assert (scene.scale, scene.offset) == (1e-4, -1000)
    assert scene.nodata is not None
    assert math.isnan(scene.nodata)


def test_bands_that_differ_in_scale_are_refused(tmp_path: Path) -> None:
    with rasterio.open(write(tmp_path / "f/a.tif", 3, "uint16"), "r+") as dataset:
        dataset.scales = (1.0, 2.0, 1.0)
    error = refusal(tmp_path, bands={"rgb": [1, 2, 3]})
    assert error.reason is Reason.UNSUPPORTED_PIXELS
    assert "set it in the recipe" in error.detail
    assert read(tmp_path, source(bands={"rgb": [1, 2, 3]}, scale=1.0))[0].scale == 1.0


def geodesic_pixel(crs: str, transform: Affine, width: int, height: int) -> tuple[float, float]:
    """Distance between neighbouring pixel centres at the centre, by pyproj alone."""
    from pyproj import Transformer

    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform

    def lonlat(col: float, row: float) -> tuple[float, float]:
        a, b, c, d, e, f = tuple(transform)[:6]
        return to_degrees(a * col + b * row + c, d * col + e * row + f)  # type: ignore[no-any-return]

    col, row, geod = width / 2, height / 2, Geod(ellps="WGS84")
    across = geod.inv(*lonlat(col - 0.5, row), *lonlat(col + 0.5, row))[2]
    down = geod.inv(*lonlat(col, row - 0.5), *lonlat(col, row + 0.5))[2]
    return across, down


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:32632", Affine(10, 0, 500_000, 0, -10, 5_400_000)),
        ("EPSG:4326", Affine(9e-5, 0, 11.0, 0, -9e-5, 60.0)),
        ("EPSG:3857", Affine(10, 0, 1_200_000, 0, -10, 8_000_000)),
        ("EPSG:3031", Affine(500, 0, 700_000, 0, -500, 500_000)),
        ("EPSG:32632", Affine(2.6, 1.5, 5e5, 1.5, -2.6, 5e6)),
    ],
    ids=["utm", "degrees", "mercator", "polar", "rotated"],
)
def test_ground_distance_and_place_are_true(tmp_path: Path, crs: str, transform: Affine) -> None:
    write(tmp_path / "f/a.tif", 3, crs=crs, transform=transform)
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}, gsd_m=777))
    across, down = geodesic_pixel(crs, transform, 30, 20)
    assert scene.gsd_x_m == pytest.approx(across, rel=1e-4)
    assert scene.gsd_y_m == pytest.approx(down, rel=1e-4)
    assert scene.footprint
    assert Provenance(fact="gsd_x_m", origin="raster header") in scene.provenance
    assert Provenance(fact="lon", origin="raster header") in scene.provenance


@pytest.mark.parametrize("profile", [{"crs": None}, {"crs": None, "transform": None}, {"transform": None}])
def test_without_a_whole_georeference_the_recipe_says_the_gsd(
    tmp_path: Path, profile: dict[str, object]
) -> None:
    write(tmp_path / "f/a.tif", 3, **profile)
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}, gsd_m=0.5))
    assert (scene.crs, scene.transform, scene.lon, scene.footprint) == (None, None, None, None)
    assert (scene.gsd_x_m, scene.gsd_y_m) == (0.5, 0.5)
    assert Provenance(fact="gsd_x_m", origin="recipe") in scene.provenance
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}))
    assert scene.gsd_x_m is None


def test_a_grid_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "f/a.tif", 3, crs="EPSG:4326", transform=Affine(1, 0, 0, 0, -1, 500))
    assert refusal(tmp_path, bands={"rgb": [1, 2, 3]}).reason is Reason.BAD_GRID


@pytest.mark.parametrize(
    ("tags", "options", "acquired", "origin"),
    [
        ({"TIFFTAG_DATETIME": "2019:09:11 11:57:46"}, {}, "2019-09-11", "raster header"),
        ({"ACQUISITION_DATE": "2018-01-02T03:04:05Z", "TIFFTAG_DATETIME": "2019:09:11 11:57:46"}, {},
         "2018-01-02T03:04:05Z", "raster header"),
        ({"TIFFTAG_DATETIME": "0000:00:00 00:00:00"}, {}, None, None),
        ({"TIFFTAG_DATETIME": "2019:09:11 11:57:46"}, {"date": r"_(\d{8})"}, "2017-08-27", "file name"),
        ({"TIFFTAG_DATETIME": "2019:09:11 11:57:46"}, {"date": "2016"}, "2016", "recipe"),
    ],
)  # fmt: skip
def test_dates_and_their_origin(
    tmp_path: Path, tags: dict[str, str], options: dict[str, str], acquired: str | None, origin: str | None
) -> None:
    write(tmp_path / "f/a_20170827.tif", tags=tags)
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}, **options))
    assert scene.acquired == acquired
    assert {entry.fact: entry.origin for entry in scene.provenance}.get("acquired") == origin


def test_satellite_and_time_of_the_imagery_domain(tmp_path: Path) -> None:
    with rasterio.open(write(tmp_path / "f/a.tif"), "r+") as dataset:
        dataset.update_tags(ns="IMAGERY", SATELLITEID="S2A", ACQUISITIONDATETIME="2020-01-02 03:04:05 UTC")
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}))
    assert (scene.platform, scene.sensor, scene.acquired) == ("Sentinel-2", "MSI", "2020-01-02T03:04:05Z")
    assert Provenance(fact="platform", origin="raster header") in scene.provenance


PATTERN = r"(?P<lon>-?[\d.]+)_(?P<lat>-?[\d.]+)_(?P<date>\d{8})_(?P<band>B\d+)\.tif$"
PRODUCT = {"pattern": PATTERN, "bands": {"rgb": ["B4", "B3", "B2"], "nir": ["B5"]}}


def write_product(
    folder: Path, bands: str = "12345", name: str = "11.5_-48.25_20190904", **profile: object
) -> None:
    for band in bands:
        write(folder / f"{name}_B{band}.tif", 1, "uint16", **({"crs": None, "transform": None} | profile))


def test_files_of_one_band_each_are_joined(tmp_path: Path) -> None:
    write_product(tmp_path / "f")
    write_product(tmp_path / "f/deeper", name="1_2_20200101")
    write(tmp_path / "f/QA.tif", 1)
    items = listed(tmp_path, source(**PRODUCT))
    assert [item.key for item in items] == ["11.5_-48.25_20190904_*.tif", "deeper/1_2_20200101_*.tif"]
    assert [part.role for part in items[0].parts] == ["B2", "B3", "B4", "B5"]
    nir, rgb = read_item(source(**PRODUCT), items[0], tmp_path, tmp_path)
    assert [Path(band.uri).name[-6:] for band in rgb.bands] == ["B4.tif", "B3.tif", "B2.tif"]
    assert [Path(band.uri).name[-6:] for band in nir.bands] == ["B5.tif"]
    assert {band.index for band in (*rgb.bands, *nir.bands)} == {1}
    assert (rgb.acquired, rgb.lon, rgb.lat) == ("2019-09-04", 11.5, -48.25)
    origins = {entry.fact: entry.origin for entry in rgb.provenance}
    assert (origins["acquired"], origins["lon"], origins["lat"]) == ("file name",) * 3
    assert rgb.item_id == nir.item_id == rgb.pair_key


def test_the_geo_reference_outranks_the_name(tmp_path: Path) -> None:
    write_product(tmp_path / "f", **UTM)
    scene = read(tmp_path, source(**PRODUCT))[0]
    assert (scene.lon, scene.lat) != (11.5, -48.25)
    assert Provenance(fact="lon", origin="raster header") in scene.provenance


def test_bands_in_folders_of_their_own_are_joined(tmp_path: Path) -> None:
    for band in ("red", "green", "blue"):
        write(tmp_path / f"f/{band}/scene 1.tif", 1)
    settings = source(pattern=r"^(?P<band>\w+)/", bands={"rgb": ["red", "green", "blue"]})
    (item,) = listed(tmp_path, settings)
    assert item.key == "*/scene 1.tif"
    (scene,) = read_item(settings, item, tmp_path, tmp_path)
    assert [Path(band.uri).parent.name for band in scene.bands] == ["red", "green", "blue"]


def test_a_product_without_a_band_is_missing_and_says_which(tmp_path: Path) -> None:
    write_product(tmp_path / "f", "24")
    (item,) = listed(tmp_path, source(**PRODUCT))
    assert item.refused is Reason.MISSING
    assert item.detail == "band B3, B5 is not there; it has B2, B4"


def test_products_of_other_bands_alone_are_not_listed(tmp_path: Path) -> None:
    write_product(tmp_path / "f", "2345")
    write_product(tmp_path / "f", "9", name="1_2_20200101")
    assert len(listed(tmp_path, source(**PRODUCT))) == 1
    with pytest.raises(UsageError, match="bands B8; `pattern` captures B2, B3, B4, B5, B9"):
        listed(tmp_path, source(pattern=PATTERN, bands={"nir": ["B8"]}))


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ({"width": 31}, "31 x 20"),
        (UTM | {"crs": "EPSG:32633"}, "another grid"),
        (UTM | {"transform": Affine(10, 0, 500_005, 0, -10, 5_400_000)}, "another grid"),
        ({"crs": None, "transform": None}, "another grid"),
    ],
)
def test_bands_that_do_not_lie_on_each_other_are_refused(
    tmp_path: Path, profile: dict[str, object], said: str
) -> None:
    base = {} if "width" in profile else UTM
    write_product(tmp_path / "f", "235", **base)
    write_product(tmp_path / "f", "4", **profile)
    error = refusal(tmp_path, **PRODUCT)
    assert error.reason is Reason.MISALIGNED
    assert said in error.detail


def test_rounding_in_headers_is_no_misalignment(tmp_path: Path) -> None:
    write_product(tmp_path / "f", "235", **UTM)
    write_product(tmp_path / "f", "4", **(UTM | {"transform": Affine(10, 0, 500_000.001, 0, -10, 5_400_000)}))
    assert len(read(tmp_path, source(**PRODUCT))) == 2


def test_several_bands_in_a_one_band_file_are_refused(tmp_path: Path) -> None:
    write_product(tmp_path / "f", "235")
    write(tmp_path / "f/11.5_-48.25_20190904_B4.tif", 2, "uint16", crs=None, transform=None)
    assert refusal(tmp_path, **PRODUCT).reason is Reason.UNSUPPORTED_PIXELS


def test_bands_of_different_pixels_are_refused(tmp_path: Path) -> None:
    write_product(tmp_path / "f", "235")
    write(tmp_path / "f/11.5_-48.25_20190904_B4.tif", 1, "uint8", crs=None, transform=None)
    error = refusal(tmp_path, **PRODUCT)
    assert error.reason is Reason.UNSUPPORTED_PIXELS
    assert "pixel type" in error.detail


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"hello", Reason.NOT_AN_IMAGE),
        (b"<VRTDataset rasterXSize='1' rasterYSize='1'/>", Reason.NOT_AN_IMAGE),
        (b"<html>", Reason.NOT_AN_IMAGE),
        (b"II*\0", Reason.UNREADABLE),
        (b"II*\0\xff\xff\xff\xff", Reason.UNREADABLE),
        (b"\0\0\0\x0cjP  \r\n\x87\n", Reason.UNREADABLE),
    ],
)
def test_what_is_no_raster_is_refused(tmp_path: Path, data: bytes, reason: Reason) -> None:
    (tmp_path / "a.tif").write_bytes(data)
    assert refusal(tmp_path, path="a.tif", bands={"rgb": [1, 2, 3]}).reason is reason


def test_several_images_in_one_file_are_refused(tmp_path: Path) -> None:
    pages = [Image.fromarray(PICTURE), Image.fromarray(255 - PICTURE)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert refusal(tmp_path, path="a.tif", bands={"nir": [1]}).reason is Reason.ANIMATED


def test_overviews_and_masks_are_no_images_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", width=300, height=300)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.full((300, 300), 255, np.uint8))
        dataset.build_overviews([2, 4])
    assert len(read(tmp_path, source("a.tif", bands={"rgb": [1, 2, 3]}))) == 1


def test_a_raster_that_is_gone_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    (item,) = listed(tmp_path, source("a.tif"))
    path.unlink()
    with pytest.raises(RecordError, match=r"missing: a\.tif"):
        read_item(source("a.tif"), item, tmp_path, tmp_path)


def test_a_closed_raster_is_no_permission(as_nobody: Callable[[], AbstractContextManager[None]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        write(root / "a.tif").chmod(0)
        with as_nobody():
            assert refusal(root, path="a.tif", bands={"rgb": [1, 2, 3]}).reason is Reason.NO_PERMISSION


@pytest.mark.parametrize(("driver", "name"), [("JP2OpenJPEG", "a.jp2"), ("HFA", "a.img")])
def test_other_raster_formats(tmp_path: Path, driver: str, name: str) -> None:
    write(tmp_path / "f" / name, driver=driver, width=64, height=64)
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}))
    assert scene.gsd_y_m == pytest.approx(10, rel=2e-3)
    assert scene.crs == "EPSG:32632"


def test_nitf(tmp_path: Path) -> None:
    grid = {"crs": "EPSG:4326", "transform": Affine(1e-4, 0, 9, 0, -1e-4, 48)}
    write(tmp_path / "f/a.ntf", driver="NITF", width=640, height=640, ICORDS="D", **grid)
    (scene,) = read(tmp_path, source(bands={"rgb": [1, 2, 3]}))
    assert scene.gsd_y_m == pytest.approx(11.12, rel=2e-3)


@pytest.mark.parametrize("encode", [lambda a: encode_jpeg(a, 90), encode_png], ids=["jpeg", "png"])
def test_a_picture_by_a_rasters_name_is_read_by_content(tmp_path: Path, encode: object) -> None:
    (tmp_path / "a.tif").write_bytes(encode(np.dstack([PICTURE] * 3)))  # type: ignore[operator]
    (scene,) = read(tmp_path, source("a.tif"))
    assert (scene.width, scene.height, scene.crs) == (30, 20, None)


def test_a_single_file_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    write(tmp_path / "a.dat")
    assert len(read(tmp_path, source("a.dat", bands={"rgb": [1, 2, 3]}))) == 1


def test_a_giant_sparse_raster_costs_its_header_only(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "width": 60_000, "height": 60_000, "count": 3, "dtype": "uint8"}
    with rasterio.open(tmp_path / "a.tif", "w", sparse_ok=True, tiled=True, **profile, **UTM):
        pass
    (scene,) = read(tmp_path, source("a.tif", bands={"rgb": [1, 2, 3]}))
    assert (scene.width, scene.height) == (60_000, 60_000)


def test_ids_follow_content(tmp_path: Path) -> None:
    write(tmp_path / "one/f/a.tif")
    write(tmp_path / "two/f/a.tif")
    first, second = (read(tmp_path / name, source(bands={"rgb": [1, 2, 3]}))[0] for name in ("one", "two"))
    assert first.id == second.id
    write(tmp_path / "two/f/a.tif", nodata=3)
    assert read(tmp_path / "two", source(bands={"rgb": [1, 2, 3]}))[0].id != first.id


@pytest.mark.parametrize(
    "options",
    [
        {"bands": {"rgb": ["B4", "B3", "B2"]}},
        {"bands": {"rgb": [1, 2]}},
        {"bands": {"thermal": [1]}},
        {"pattern": r"_(?P<x>B\d)"},
        {"pattern": r"_(?P<band>B\d)"},
    ],
)
def test_bands_that_cannot_be_are_faults_of_the_recipe(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        source(**options)


def test_settings_with_nan_have_a_digest() -> None:
    digests = {source(nodata=value).digest() for value in (None, math.nan, 0)}
    assert len(digests) == 3
