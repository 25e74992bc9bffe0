"""`examples/real.yaml` over every folder of real imagery: places, distances and pixels against other libraries."""

import io
import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image
from pyproj import Geod, Transformer
from rasterio.windows import Window

from earthloom.recipes import load_recipe
from earthloom.run.build import build
from earthloom.run.recipe import GeotiffEntry, Recipe
from earthloom.run.summary import Summary

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Row = dict[str, Any]
WGS84 = Geod(ellps="WGS84")
FOLDERS = {
    "aerial",
    "amazon",
    "cog",
    "eurosat",
    "haze",
    "landsat7",
    "landsat8",
    "landsat8_30m",
    "landsat8_c2",
    "landsat8_c2_stac",
    "naip",
    "rsicd",
    "sen1_2",
    "sentinel_spain",
    "spacenet",
    "ssl4eo",
    "umbra",
}


@pytest.fixture(scope="module")
def recipe(real_data: Path, repository: Path) -> Recipe:
    """The example, its paths turned to where the imagery lies."""
    loaded = load_recipe(repository / "examples" / "real.yaml")
    turned = [
        source.model_copy(
            update={
                field: str(real_data / value.removeprefix("../../shared/data/"))
                for field in ("path", "facts")
                if (value := getattr(source, field, None)) is not None
            }
        )
        for source in loaded.sources
    ]
    return loaded.model_copy(update={"sources": tuple(turned)})


@pytest.fixture(scope="module")
def built(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Summary, list[Row]]:
    work = tmp_path_factory.mktemp("real")
    summary = build(recipe, work, base=work, workers=2)
    table = duckdb.sql(f"select * from '{work}/release/data/*.parquet'")
    return summary, [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


@pytest.fixture(scope="module")
def placed(built: tuple[Summary, list[Row]], recipe: Recipe) -> list[tuple[Row, list[Path]]]:
    """Every pair cut from a geo-referenced raster, with the file of each of its channels."""
    sources = {source.name: source for source in recipe.named_sources()}
    found = []
    for row in built[1]:
        source = sources[row["source"]]
        if isinstance(source, GeotiffEntry):
            files = _files_of(source, row)
            with rasterio.open(files[0]) as file:
                if file.crs is not None:
                    found.append((row, files))
    return found


def _files_of(source: GeotiffEntry, row: Row) -> list[Path]:
    root = Path(source.path)
    folder = root if root.is_dir() else root.parent
    if source.pattern is None:
        return [folder / row["source_key"]]
    wanted = source.bands[row["modality"] if row["polarisation"] is None else row["polarisation"].lower()]
    return [folder / row["source_key"].replace("*", str(band)) for band in wanted]


def test_every_folder_of_imagery_is_built_from(
    real_data: Path, recipe: Recipe, built: tuple[Summary, list[Row]]
) -> None:
    there = {path.name for path in real_data.iterdir() if path.is_dir()}
    assert there - FOLDERS <= {"hrrsd", "stac"}, "a folder of imagery that the example does not name"
    named = {Path(getattr(source, "path", "")).relative_to(real_data).parts[0] for source in recipe.sources}
    assert named == FOLDERS
    summary, rows = built
    assert {row["source"] for row in rows} == {source.name for source in recipe.named_sources()}
    assert summary.n_failed == 0
    assert set(summary.refused) <= {"too_little_valid", "no_valid_pixels"}
    assert {row["modality"] for row in rows} == {"rgb", "nir", "sar"}


def test_ground_sample_distances_are_geodesic_within_half_a_percent(
    placed: list[tuple[Row, list[Path]]],
) -> None:
    assert len(placed) > 90
    for row, files in placed:
        crop = row["crop"]
        col, line = crop["col"] + crop["width"] / 2, crop["row"] + crop["height"] / 2
        with rasterio.open(files[0]) as file:
            to_degrees = Transformer.from_crs(file.crs, "EPSG:4326", always_xy=True)
            across = [to_degrees.transform(*(file.transform @ (col + d, line))) for d in (-8, 8)]
            along = [to_degrees.transform(*(file.transform @ (col, line + d))) for d in (-8, 8)]
        x_m = WGS84.inv(*across[0], *across[1])[2] / 16
        y_m = WGS84.inv(*along[0], *along[1])[2] / 16
        assert row["native_gsd_m"] == pytest.approx(math.sqrt(x_m * y_m), rel=0.005)
        assert row["pixel_m"] == pytest.approx(math.sqrt(x_m * y_m) * crop["width"] / row["width"], rel=0.005)
        assert row["gsd_m"] == pytest.approx(max(row["native_gsd_m"], row["pixel_m"]), rel=1e-9)
        assert (row["lon"], row["lat"]) == pytest.approx(
            tuple(np.mean([*across, *along], axis=0)),
            abs=20 * x_m / 100_000 / max(0.05, math.cos(math.radians(row["lat"]))),
        )


def test_footprints_lie_where_the_corners_project_to(placed: list[tuple[Row, list[Path]]]) -> None:
    for row, files in placed:
        crop = row["crop"]
        with rasterio.open(files[0]) as file:
            to_degrees = Transformer.from_crs(file.crs, "EPSG:4326", always_xy=True)
            corners = [
                to_degrees.transform(
                    *(file.transform @ (crop["col"] + x * crop["width"], crop["row"] + y * crop["height"]))
                )
                for x, y in ((0, 0), (0, 1), (1, 1), (1, 0))
            ]
        footprint = shapely.from_wkb(row["footprint"])
        side_m = math.sqrt(abs(WGS84.geometry_area_perimeter(shapely.Polygon(corners))[0]))
        area, _ = WGS84.geometry_area_perimeter(footprint)
        expected = row["native_gsd_m"] ** 2 * crop["width"] * crop["height"]
        assert abs(area) == pytest.approx(expected, rel=0.01)
        vertices = list(footprint.exterior.coords)
        for corner in corners:
            nearest = min(WGS84.inv(*corner, *vertex)[2] for vertex in vertices)
            assert nearest < 0.005 * side_m


def _expected_picture(row: Row, files: list[Path], source: GeotiffEntry) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a tile at native distance by rasterio and the recorded stretch: 0 to 255 floats, and validity."""
    crop, stretch = row["crop"], row["stretch"]
    window = Window(crop["col"], crop["row"], crop["width"], crop["height"])
    role = row["modality"] if row["polarisation"] is None else row["polarisation"].lower()
    if source.pattern is not None:
        indices = [1] * len(files)
    else:
        indices = list(source.bands.get(role) or (source.bands["sar"] if role in {"vv", "vh"} else [1, 2, 3]))  # type: ignore[arg-type]
        files = files * len(indices)
    bands, valid = [], np.ones((int(crop["height"]), int(crop["width"])), bool)
    for path, index in zip(files, indices, strict=True):
        with rasterio.open(path) as file:
            stored = file.read(index, window=window)
            nodata = source.nodata if source.nodata is not None else file.nodata
            band_valid = file.dataset_mask(window=window) > 0
            if nodata is not None and source.nodata is not None:
                band_valid = stored != nodata
            scale = source.scale if source.scale is not None else file.scales[index - 1]
            offset = source.offset if source.offset is not None else file.offsets[index - 1]
        valid &= band_valid & np.isfinite(stored)
        bands.append(stored.astype(np.float64) * scale + offset)
    low, high = np.array(stretch["low"])[:, None, None], np.array(stretch["high"])[:, None, None]
    with np.errstate(invalid="ignore"):
        picture = np.clip((np.array(bands) - low) / (high - low), 0, 1) * 255
    return np.moveaxis(picture, 0, -1), valid


def _jpeg_error(picture: np.ndarray, valid: np.ndarray) -> float:
    """What Pillow's JPEG of quality 95 without chroma subsampling loses of the same picture, mean over pixels."""
    buffer = io.BytesIO()
    exact = np.nan_to_num(picture * valid[..., None]).round().astype(np.uint8)
    Image.fromarray(exact.squeeze()).save(buffer, "JPEG", quality=95, subsampling=0)
    with Image.open(buffer) as image:
        lossy = np.atleast_3d(np.asarray(image)).astype(float)
    return float(np.abs(lossy - picture)[valid].mean())


def test_pixels_of_native_tiles_equal_an_independent_read(
    placed: list[tuple[Row, list[Path]]], recipe: Recipe
) -> None:
    sources = {source.name: source for source in recipe.named_sources()}
    compared: set[tuple[str, str]] = set()
    for row, files in placed:
        source = sources[row["source"]]
        assert isinstance(source, GeotiffEntry)
        if row["crop"]["width"] != row["width"]:
            continue  # enlarged: compared below
        picture, valid = _expected_picture(row, files, source)
        with Image.open(io.BytesIO(row["image"]["bytes"])) as image:
            drawn = np.atleast_3d(np.asarray(image)).astype(float)
        if row["valid_mask"] is not None:
            with Image.open(io.BytesIO(row["valid_mask"])) as mask:
                stored_valid = np.asarray(mask) > 0
            assert (stored_valid == valid).mean() > 0.999
            valid &= stored_valid
        assert row["valid_share"] == pytest.approx(valid.mean(), abs=0.002)
        error = np.abs(drawn - picture)[valid]
        if row["image"]["path"].endswith(".png"):
            assert error.max() <= 0.51  # lossless: half a step of rounding
        else:
            assert error.mean() < 1.1 * _jpeg_error(picture, valid) + 0.1
        compared.add((row["source"], row["modality"]))
    assert {modality for _, modality in compared} == {"rgb", "nir", "sar"}
    assert len(compared) >= 14


def test_enlarged_tiles_keep_the_distance_and_the_means_of_their_source(
    built: tuple[Summary, list[Row]],
) -> None:
    enlarged = [row for row in built[1] if row["crop"]["width"] < row["width"] and row["gsd_m"]]
    assert {"eurosat", "spacenet", "ssl4eo"} <= {row["source"] for row in enlarged}
    for row in enlarged:
        assert row["gsd_m"] == row["native_gsd_m"]
        assert row["pixel_m"] == pytest.approx(row["gsd_m"] * row["crop"]["width"] / row["width"], rel=1e-4)


def test_captions_of_a_source_are_kept_beside_ours(built: tuple[Summary, list[Row]]) -> None:
    rows = [row for row in built[1] if row["source"].startswith("rsicd")]
    assert len(rows) == 200
    for row in rows:
        authors = {caption["author"] for caption in row["captions"]}
        assert "source" in authors
        assert len(authors) == 2
        assert "research" in row["licence"].lower()


def test_radar_and_optical_of_one_place_pair_up_and_stay_together(built: tuple[Summary, list[Row]]) -> None:
    rows = [row for row in built[1] if row["source"] in {"sen1-2-s1", "sen1-2-s2"}]
    pairs: dict[str, list[Row]] = {}
    for row in rows:
        pairs.setdefault(row["pair_id"], []).append(row)
    assert len(pairs) == 10
    for members in pairs.values():
        assert sorted(member["modality"] for member in members) == ["rgb", "sar"]
        assert len({member["split"] for member in members}) == 1
