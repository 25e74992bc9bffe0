"""Real imagery: every sample read as `examples/real.yaml` says, against rasterio, Pillow, tarfile and pyproj."""

from __future__ import annotations

import csv
import io
import json
import math
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image
from pyproj import Geod, Transformer

from earthloom.core.blobs import read_blob
from earthloom.core.images import decode_image
from earthloom.core.records import Modality, Quantity, Scene
from earthloom.ingest import AnySource, list_items, read_item
from earthloom.ingest.config import GeotiffSettings, ImagesSettings
from earthloom.recipes.load import load_recipe

EXAMPLE = Path(__file__).parents[2] / "examples" / "real.yaml"
PLACED = (
    "naip", "neon-florida", "spacenet", "landsat7", "landsat8-cascades", "landsat8-greenland", "landsat8-antarctica",
    "landsat8-colombia", "cog", "rs-haze", "sen1floods11-s1", "sen1floods11-s2", "ssl4eo", "umbra",
)  # fmt: skip
UNPLACED = ("neon-yellowstone", "multiearth-s1", "multiearth-s2", "multiearth-l8")
PICTURES = ("sen1-2-s1", "sen1-2-s2", "eurosat", "rsicd-train", "rsicd-val")

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(scope="module", autouse=True)
def _needs(real_data: Path) -> None:
    if (EXAMPLE.parent / "../../shared/data").resolve() != real_data.resolve():
        pytest.skip("the example's paths lead elsewhere than to the real imagery")


@cache
def sources() -> dict[str, AnySource]:
    return {str(source.name): source for source in load_recipe(EXAMPLE).named_sources()}


@cache
def scenes(name: str) -> tuple[Scene, ...]:
    """Every scene of one source of the example; no item is refused."""
    settings = sources()[name]
    items = list(list_items(settings, EXAMPLE.parent))
    return tuple(s for item in items for s in read_item(settings, item, EXAMPLE.parent, EXAMPLE.parent))


def file_of(scene: Scene) -> str:
    return Path(scene.bands[0].uri).name


def test_the_example_covers_every_folder_of_images(real_data: Path) -> None:
    images = {".tif", ".tiff", ".png", ".tar"}
    folders = {p.relative_to(real_data).parts[0] for p in real_data.rglob("*") if p.suffix.lower() in images}
    used = set()
    for source in sources().values():
        assert isinstance(source, GeotiffSettings | ImagesSettings)
        used.add(source.path.removeprefix("../../shared/data/").split("/")[0])
    assert used == folders
    assert set(sources()) == {*PLACED, *UNPLACED, *PICTURES}


@pytest.mark.parametrize(
    ("name", "n_rgb", "n_nir", "n_sar"),
    [
        ("naip", 6, 6, 0), ("neon-florida", 1, 0, 0), ("neon-yellowstone", 1, 0, 0), ("spacenet", 1, 1, 0),
        ("landsat7", 2, 0, 0), ("landsat8-cascades", 1, 0, 0), ("landsat8-greenland", 1, 1, 0),
        ("landsat8-antarctica", 1, 1, 0), ("landsat8-colombia", 1, 1, 0), ("cog", 1, 0, 0), ("rs-haze", 1, 1, 0),
        ("sen1floods11-s1", 0, 0, 2), ("sen1floods11-s2", 1, 1, 0), ("multiearth-s1", 0, 0, 8),
        ("multiearth-s2", 13, 0, 0), ("multiearth-l8", 5, 5, 0), ("ssl4eo", 7, 7, 0), ("umbra", 0, 0, 1),
        ("sen1-2-s1", 0, 0, 10), ("sen1-2-s2", 10, 0, 0), ("eurosat", 100, 0, 0), ("rsicd-train", 100, 0, 0),
        ("rsicd-val", 100, 0, 0),
    ],
)  # fmt: skip
def test_scenes_of_every_source(name: str, n_rgb: int, n_nir: int, n_sar: int) -> None:
    modalities = [scene.modality for scene in scenes(name)]
    counts = [modalities.count(modality) for modality in (Modality.RGB, Modality.NIR, Modality.SAR)]
    assert counts == [n_rgb, n_nir, n_sar]
    assert len({scene.id for scene in scenes(name)}) == len(modalities)


@pytest.mark.parametrize("name", [*PLACED, *UNPLACED])
def test_headers_are_what_rasterio_says(name: str) -> None:
    for scene in scenes(name):
        for band in scene.bands:
            with rasterio.open(band.uri) as dataset:
                assert (scene.width, scene.height) == (dataset.width, dataset.height)
                assert scene.dtype == dataset.dtypes[band.index - 1]
                assert (scene.crs is None) == (dataset.crs is None)
                if scene.transform is not None and scene.crs is not None:
                    assert scene.transform == tuple(dataset.transform)[:6]
                    assert rasterio.crs.CRS.from_user_input(scene.crs) == dataset.crs
                nodata = dataset.nodatavals[band.index - 1]
                given = getattr(sources()[name], "nodata", None)
                assert scene.nodata == pytest.approx(nodata if given is None else given, nan_ok=True)


def find_places(uri: str, step: int) -> tuple[tuple[float, float], ...]:
    """Centre of a raster and the points `step` pixels west, east, north and south of it, by pyproj alone."""
    with rasterio.open(uri) as dataset:
        to_degrees = Transformer.from_crs(dataset.crs.to_wkt(), "EPSG:4326", always_xy=True).transform
        a, b, c, d, e, f = tuple(dataset.transform)[:6]
        col, row = dataset.width / 2, dataset.height / 2
    around = [(col, row), (col - step, row), (col + step, row), (col, row - step), (col, row + step)]
    return tuple(to_degrees(a * x + b * y + c, d * x + e * y + f) for x, y in around)


@pytest.mark.parametrize("name", PLACED)
def test_distances_and_places_are_geodesic(name: str) -> None:
    geod = Geod(ellps="WGS84")
    for scene in scenes(name):
        centre, west, east, north, south = find_places(scene.bands[0].uri, 5)
        assert scene.gsd_x_m == pytest.approx(geod.inv(*west, *east)[2] / 10, rel=1e-3)
        assert scene.gsd_y_m == pytest.approx(geod.inv(*north, *south)[2] / 10, rel=1e-3)
        assert (scene.lon, scene.lat) == pytest.approx(centre, abs=1e-7)
        assert scene.footprint is not None
        assert shapely.from_wkb(scene.footprint).contains(shapely.Point(centre))


KNOWN_GSD = {
    "naip": 5.0, "neon-florida": 0.1, "neon-yellowstone": 0.1, "spacenet": 1.0, "landsat7": 300,
    "landsat8-cascades": 150, "landsat8-greenland": 30, "cog": 300, "rs-haze": 30, "ssl4eo": 10,
    "umbra": 0.594, "multiearth-s1": 10,
    "multiearth-l8": 30, "sen1-2-s1": 10, "eurosat": 10,
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN_GSD)
def test_ground_distances_are_those_of_the_products(name: str) -> None:
    for scene in scenes(name):
        assert scene.gsd_x_m is not None
        assert scene.gsd_y_m is not None
        assert math.sqrt(scene.gsd_x_m * scene.gsd_y_m) == pytest.approx(KNOWN_GSD[name], rel=2e-3)


def test_what_is_unknown_stays_unknown() -> None:
    for scene in scenes("rsicd-train"):
        assert (scene.gsd_x_m, scene.acquired, scene.lon, scene.platform, scene.crs) == (None,) * 5


@pytest.mark.parametrize(
    ("name", "dates"),
    [
        ("naip", {"2009-08-18", "2010-06-29", "2012-07-31"}),
        ("neon-yellowstone", {"2019"}),
        ("landsat8-cascades", {"2016-06-25"}),
        ("landsat8-greenland", {"2015-01-01"}),
        ("landsat8-antarctica", {"2019-11-29"}),
        ("landsat8-colombia", {"2019-12-01"}),
        ("umbra", {"2023-02-12"}),
        ("multiearth-s1", {"2019-05-27", "2019-06-08", "2019-06-20", "2019-07-02"}),
    ],
)
def test_dates(name: str, dates: set[str]) -> None:
    assert dates <= {str(scene.acquired) for scene in scenes(name)}


@pytest.mark.parametrize("name", ["landsat8-cascades", "landsat8-antarctica", "landsat8-colombia"])
def test_dates_agree_with_the_metadata_files(name: str) -> None:
    (metadata,) = Path(scenes(name)[0].bands[0].uri).parent.glob("*MTL.json")

    def find(value: object) -> list[str]:
        if not isinstance(value, dict):
            return []
        own = [str(value["DATE_ACQUIRED"])] if "DATE_ACQUIRED" in value else []
        return own + [date for inner in value.values() for date in find(inner)]

    assert {scene.acquired for scene in scenes(name)} == set(find(json.loads(metadata.read_text())))


def test_the_tiff_date_of_a_mosaic_is_read_where_nothing_better_is_known() -> None:
    settings = sources()["neon-yellowstone"].model_copy(update={"date": None})
    (item,) = list_items(settings, EXAMPLE.parent)
    (scene,) = read_item(settings, item, EXAMPLE.parent, EXAMPLE.parent)
    assert scene.acquired == "2019-09-11"
    assert {entry.fact: entry.origin for entry in scene.provenance}["acquired"] == "raster header"


def test_places_in_names() -> None:
    for name in ("multiearth-s1", "multiearth-s2", "multiearth-l8"):
        for scene in scenes(name):
            assert f"_{scene.lon:.2f}_{scene.lat:.2f}_" in file_of(scene)
            assert {entry.fact: entry.origin for entry in scene.provenance}["lon"] == "file name"


def test_bands_of_products_lie_in_the_files_of_their_names() -> None:
    wanted = {Modality.RGB: ["B4", "B3", "B2"], Modality.NIR: ["B5"]}
    for name in ("landsat8-greenland", "landsat8-antarctica", "landsat8-colombia", "rs-haze"):
        for scene in scenes(name):
            found = [Path(band.uri).stem.rpartition("_")[2] for band in scene.bands]
            assert found == wanted[scene.modality]
    for scene in scenes("multiearth-s1"):
        assert f"_{scene.polarisation}_" in file_of(scene)


def spectrum(scene: Scene) -> dict[str, float]:
    """Mean of each band of a scene's file, by its colour."""
    with rasterio.open(scene.bands[0].uri) as dataset:
        return {
            colour: float(dataset.read(band.index).mean())
            for colour, band in zip(("red", "green", "blue"), scene.bands, strict=True)
        }


def test_colours_have_the_order_of_nature() -> None:
    """Sand is redder than blue, open water bluer than red; a vegetated town is brightest in the near infrared."""
    chips = {file_of(scene): scene for scene in scenes("ssl4eo") if scene.modality is Modality.RGB}
    sand, water = spectrum(chips["patch_70541.tif"]), spectrum(chips["patch_74721.tif"])
    assert sand["red"] > sand["green"] > sand["blue"]
    assert water["red"] < water["green"] < water["blue"]
    town = {scene.modality: scene for scene in scenes("spacenet")}
    with rasterio.open(town[Modality.NIR].bands[0].uri) as dataset:
        nir = dataset.read(town[Modality.NIR].bands[0].index).mean()
    colours = spectrum(town[Modality.RGB])
    assert nir > 2 * max(colours.values())
    assert colours["green"] > colours["blue"]


def test_alpha_and_nodata_are_told_apart() -> None:
    by_file = {file_of(scene): scene for scene in scenes("landsat7")}
    assert (by_file["RGB.byte.tif"].alpha, by_file["RGB.byte.tif"].nodata) == (None, 0)
    alpha = by_file["RGBA.byte.tif"].alpha
    assert alpha is not None
    assert (alpha.index, by_file["RGBA.byte.tif"].nodata) == (4, None)
    assert by_file["RGB.byte.tif"].group == by_file["RGBA.byte.tif"].group


def test_what_the_numbers_mean() -> None:
    quantities = {name: {scene.quantity for scene in scenes(name)} for name in sources()}
    assert quantities["naip"] == quantities["umbra"] == quantities["eurosat"] == {Quantity.DISPLAY}
    assert quantities["sen1floods11-s1"] == quantities["multiearth-s1"] == {Quantity.DB}
    assert (
        quantities["spacenet"] == quantities["ssl4eo"] == quantities["sen1floods11-s2"] == {Quantity.COUNTS}
    )
    assert {(s.scale, s.offset) for s in scenes("landsat8-antarctica")} == {(2.75e-5, -0.2)}


def test_groups_keep_places_together() -> None:
    assert len({scene.group for scene in scenes("naip")}) == 1
    assert len({scene.group for scene in (*scenes("sen1-2-s1"), *scenes("sen1-2-s2"))}) == 1
    places = {}
    for name in ("multiearth-s1", "multiearth-s2", "multiearth-l8"):
        for scene in scenes(name):
            places.setdefault((scene.lon, scene.lat), set()).add(scene.group)
    assert all(len(groups) == 1 for groups in places.values())
    assert len({next(iter(groups)) for groups in places.values()}) == len(places)


def test_pairs_across_sources() -> None:
    radar, optical = ({s.pair_key for s in scenes(name)} for name in ("sen1-2-s1", "sen1-2-s2"))
    assert radar == optical
    assert len(radar) == 10
    assert len({s.pair_key for name in ("sen1floods11-s1", "sen1floods11-s2") for s in scenes(name)}) == 1
    for scene in scenes("naip"):
        assert scene.pair_key == scene.item_id


def members(path: Path, keys: set[str]) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar if info.name in keys}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["eurosat", "rsicd-val"])
def test_members_are_read_as_tarfile_and_pillow_read_them(name: str) -> None:
    chosen = scenes(name)[:20]
    wanted = members(Path(chosen[0].bands[0].uri), {scene.source_key for scene in chosen})
    for scene in chosen:
        data = read_blob(scene.bands[0].uri, scene.bands[0].within)
        assert data == wanted[scene.source_key]
        picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
        assert np.abs(decode_image(data).astype(int) - picture).mean() < 1
        assert (scene.width, scene.height) == (picture.shape[1], picture.shape[0])


def test_classes_of_eurosat() -> None:
    for scene in scenes("eurosat"):
        (label,) = scene.labels
        assert label.name.replace(" ", "") == scene.source_key.split("/")[0].lower()
    assert len({scene.labels[0].name for scene in scenes("eurosat")}) == 10


@pytest.mark.parametrize("name", ["train", "val"])
def test_captions_of_rsicd_stand_exactly_as_published(real_data: Path, name: str) -> None:
    lines = (real_data / "rsicd" / f"captions_{name}.jsonl").read_text("utf-8").splitlines()
    published = {row["file"]: row["captions"] for row in map(json.loads, lines)}
    for scene in scenes(f"rsicd-{name}"):
        assert [text.text for text in scene.texts] == [t for t in published[scene.source_key] if t.strip()]
        assert {text.role for text in scene.texts} == {"caption"}


def test_ssl4eo_lies_where_its_index_says(real_data: Path) -> None:
    with (real_data / "ssl4eo" / "index.csv").open() as file:
        index = {row["fn"]: (float(row["lon"]), float(row["lat"])) for row in csv.DictReader(file)}
    for scene in scenes("ssl4eo"):
        assert (scene.lon, scene.lat) == pytest.approx(index[file_of(scene)], abs=0.002)


def test_ids_and_keys_name_no_machine() -> None:
    for name in sources():
        for scene in scenes(name):
            assert "/work" not in f"{scene.id}{scene.source_key}{scene.group}{scene.pair_key}"
            assert not scene.source_key.startswith("/")
