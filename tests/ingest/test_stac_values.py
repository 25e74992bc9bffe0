"""Scale, offset and nodata of STAC assets: from the item, the file, both or the mission, applied once."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from fakes.stac import make_asset, make_item, write_json
from rasterio.transform import from_origin

from earthloom.core.errors import RecordError
from earthloom.core.records import Quantity, Reason, Scene
from earthloom.ingest import list_items, read_item
from earthloom.ingest.stac.config import StacSettings

STORED = np.array([[1, 1000], [1500, 4000]], np.uint16)
SCALE = {"scale": 1e-4}
BOTH = {"scale": 1e-4, "offset": -0.1}


def read(folder: Path, item: dict[str, Any], **settings: Any) -> list[Scene]:
    write_json(folder / "item.json", item)
    made = StacSettings(kind="stac", name="made", items="item.json", **settings)
    (listed,) = list_items(made, folder)
    return read_item(made, listed, folder, folder)


def write_bands(
    folder: Path,
    n_bands: int = 3,
    dtype: str = "uint16",
    tags: dict[str, float] | None = None,
    **profile: Any,
) -> Path:
    path = folder / "pixels.tif"
    profile = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_000_000, 10, 10), **profile}
    size = {"width": 2, "height": 2, "count": n_bands, "dtype": dtype, "driver": "GTiff"}
    with rasterio.open(path, "w", **size, **profile) as file:
        file.write(np.repeat(STORED[None], n_bands, 0).astype(dtype))
        if tags is not None:
            file.scales = (tags.get("scale", 1.0),) * n_bands
            file.offsets = (tags.get("offset", 0.0),) * n_bands
    return path


def reflectance_of(scene: Scene) -> np.ndarray:
    """What a scene's first band measures, by the definition of scale and offset."""
    with rasterio.open(scene.bands[0].uri) as file:
        stored = file.read(scene.bands[0].index).astype(float)
    return np.asarray(stored * scene.scale + scene.offset)


PLACES = list(itertools.product((None, SCALE, BOTH), (None, SCALE, BOTH)))


@pytest.mark.parametrize("baseline", ["02.12", "03.01", "04.00", "05.10"])
@pytest.mark.parametrize(("in_item", "in_file"), PLACES)
def test_sentinel2_reflectance_is_right_whoever_states_the_offset(
    tmp_path: Path, baseline: str, in_item: dict[str, float] | None, in_file: dict[str, float] | None
) -> None:
    write_bands(tmp_path, tags=in_file)
    numbers = [in_item] * 3 if in_item else []
    item = make_item(
        "S2",
        {"image": make_asset("pixels.tif", "red", "green", "blue", numbers=numbers)},
        **{"platform": "sentinel-2a", "instruments": ["msi"], "s2:processing_baseline": baseline},
    )
    (scene,) = read(tmp_path, item)
    # ESA: reflectance = (DN + BOA_ADD_OFFSET) / 10000 with -1000 from baseline 04.00 on, 0 before
    add = -1000 if baseline >= "04.00" else 0
    assert reflectance_of(scene) == pytest.approx((STORED.astype(float) + add) / 10_000)
    assert scene.nodata == 0


def test_an_offset_that_the_provider_has_applied_already_is_not_applied_again(tmp_path: Path) -> None:
    write_bands(tmp_path)
    item = make_item(
        "S2",
        {"image": make_asset("pixels.tif", "red", "green", "blue", numbers=[BOTH] * 3)},
        **{
            "constellation": "sentinel-2",
            "s2:processing_baseline": "05.09",
            "earthsearch:boa_offset_applied": True,
        },
    )
    (scene,) = read(tmp_path, item)
    assert (scene.scale, scene.offset) == (1e-4, 0.0)


def test_a_statement_against_the_mission_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_bands(tmp_path)
    wrong = {"scale": 1e-4, "offset": -0.125}
    item = make_item(
        "S2",
        {"image": make_asset("pixels.tif", "red", "green", "blue", numbers=[wrong] * 3)},
        **{"platform": "Sentinel-2B", "s2:processing_baseline": "02.05"},
    )
    assert read(tmp_path, item)[0].offset == 0.0
    assert read(tmp_path, item)[0].offset == 0.0
    (record,) = caplog.records
    assert "-0.125" in record.getMessage()
    assert "02.05" in record.getMessage()


def test_the_colour_picture_of_sentinel2_has_no_offset(tmp_path: Path) -> None:
    write_bands(tmp_path, dtype="uint8")
    item = make_item(
        "S2",
        {"visual": make_asset("pixels.tif", "red", "green", "blue", roles=["visual"])},
        **{"platform": "sentinel-2a", "s2:processing_baseline": "05.10"},
    )
    (scene,) = read(tmp_path, item)
    assert (scene.scale, scene.offset, scene.quantity) == (1.0, 0.0, Quantity.DISPLAY)


def test_what_others_made_of_sentinel2_is_as_they_say(tmp_path: Path) -> None:
    write_bands(tmp_path)
    hls = make_item(
        "HLS",
        {"image": make_asset("pixels.tif", "red", "green", "blue", numbers=[SCALE | {"nodata": -9999}] * 3)},
        platform="sentinel-2a",
    )
    (scene,) = read(tmp_path, hls)
    assert (scene.scale, scene.offset, scene.nodata) == (1e-4, 0.0, -9999.0)
    requantised = make_item(
        "half",
        {
            "image": make_asset(
                "pixels.tif", "red", "green", "blue", numbers=[{"scale": 5e-5, "offset": 0.25}] * 3
            )
        },
        **{"platform": "sentinel-2a", "s2:processing_baseline": "05.10"},
    )
    (scene,) = read(tmp_path, requantised)
    assert (scene.scale, scene.offset) == (5e-5, 0.25)


@pytest.mark.parametrize(
    ("in_item", "in_file", "held"),
    [
        (None, None, (1.0, 0.0)),
        ({"scale": 2.0, "offset": 3.0}, None, (2.0, 3.0)),
        (None, {"scale": 4.0, "offset": 5.0}, (4.0, 5.0)),
        ({"scale": 2.0, "offset": 3.0}, {"scale": 4.0, "offset": 5.0}, (2.0, 3.0)),
        ({"scale": 2.0}, {"scale": 2.0, "offset": 5.0}, (2.0, 5.0)),
        ({"scale": 2.0}, {"scale": 4.0, "offset": 5.0}, (2.0, 0.0)),
        ({"offset": 5.0}, {"scale": 4.0, "offset": 5.0}, (4.0, 5.0)),
        ({"offset": 7.0}, {"scale": 4.0, "offset": 5.0}, (1.0, 7.0)),
    ],
)
def test_scale_and_offset_come_from_one_place(
    tmp_path: Path,
    in_item: dict[str, float] | None,
    in_file: dict[str, float] | None,
    held: tuple[float, float],
) -> None:
    write_bands(tmp_path, tags=in_file)
    numbers = [in_item] * 3 if in_item else []
    item = make_item(
        "any", {"image": make_asset("pixels.tif", "red", "green", "blue", numbers=numbers)}, platform="naip"
    )
    (scene,) = read(tmp_path, item)
    assert (scene.scale, scene.offset) == held
    (scene,) = read(tmp_path, item, scale=8.0, offset=9.0, nodata=7)
    assert (scene.scale, scene.offset, scene.nodata) == (8.0, 9.0, 7.0)


def test_landsat_collection_2_reflectance_that_nobody_describes(tmp_path: Path) -> None:
    write_bands(tmp_path)
    level_2 = {"landsat:collection_number": "02", "landsat:correction": "L2SP", "platform": "landsat-8"}
    item = make_item("L2", {"image": make_asset("pixels.tif", "red", "green", "blue")}, **level_2)
    (scene,) = read(tmp_path, item)
    assert (scene.scale, scene.offset) == (2.75e-5, -0.2)
    level_1 = make_item(
        "L1",
        {"image": make_asset("pixels.tif", "red", "green", "blue")},
        **(level_2 | {"landsat:correction": "L1TP"}),
    )
    (scene,) = read(tmp_path, level_1)
    assert (scene.scale, scene.offset) == (1.0, 0.0)


def test_bands_of_stac_1_1_inherit_from_their_asset(tmp_path: Path) -> None:
    write_bands(tmp_path, nodata=5)
    bands = [
        {"name": "r", "eo:common_name": "red"},
        {"name": "g", "eo:common_name": "green"},
        {"name": "b", "eo:common_name": "blue", "raster:scale": 0.5},
    ]
    asset = make_asset("pixels.tif") | {
        "bands": bands,
        "raster:scale": 0.5,
        "raster:offset": 2,
        "nodata": "nan",
    }
    item = make_item("new", {"image": asset}) | {"stac_version": "1.1.0"}
    (scene,) = read(tmp_path, item)
    assert (scene.scale, scene.offset) == (0.5, 2.0)
    assert scene.nodata is not None
    assert math.isnan(scene.nodata)
    del asset["nodata"]
    (scene,) = read(tmp_path, item)
    assert scene.nodata == 5


def test_bands_of_one_scene_that_differ_are_refused(tmp_path: Path) -> None:
    write_bands(tmp_path)
    numbers = [{"scale": 1.0, "offset": 1.0}, {"scale": 1.0, "offset": 2.0}, {"scale": 1.0, "offset": 1.0}]
    item = make_item("any", {"image": make_asset("pixels.tif", "red", "green", "blue", numbers=numbers)})
    with pytest.raises(RecordError, match="differ in offset") as caught:
        read(tmp_path, item)
    assert caught.value.reason is Reason.UNSUPPORTED_PIXELS


@pytest.mark.parametrize(
    ("said", "dtype", "unit", "quantity"),
    [
        ({"sar:product_type": "RTC"}, "float32", None, Quantity.INTENSITY),
        ({"sar:product_type": "RTC"}, "float32", "dB", Quantity.DB),
        ({"sar:product_type": "GRD"}, "uint16", None, Quantity.AMPLITUDE),
        ({}, "float32", None, Quantity.DB),
        ({}, "uint16", None, Quantity.COUNTS),
    ],
)
def test_what_the_numbers_of_radar_are(
    tmp_path: Path, said: dict[str, Any], dtype: str, unit: str | None, quantity: Quantity
) -> None:
    write_bands(tmp_path, n_bands=1, dtype=dtype)
    numbers = [{"unit": unit}] if unit else []
    (scene,) = read(tmp_path, make_item("radar", {"vv": make_asset("pixels.tif", numbers=numbers)}, **said))
    assert scene.quantity is quantity
    assert scene.polarisation == "VV"
    (scene,) = read(
        tmp_path,
        make_item("radar", {"vv": make_asset("pixels.tif", numbers=numbers)}, **said),
        quantity="intensity",
    )
    assert scene.quantity is Quantity.INTENSITY


@pytest.mark.parametrize("value", ["much", True, [1]])
def test_a_scale_that_is_no_number_is_refused(tmp_path: Path, value: object) -> None:
    write_bands(tmp_path)
    item = make_item("any", {"image": make_asset("pixels.tif", "red", "green", "blue")})
    item["assets"]["image"]["raster:bands"] = [{"scale": value}] * 3
    assert json.dumps(item)
    with pytest.raises(RecordError) as caught:
        read(tmp_path, item)
    assert caught.value.reason is Reason.BAD_FACTS
