"""A STAC search on loopback over real files builds the tiles that reading the files directly builds, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fakes.stac import Json, ground_of, make_asset, make_item, serve_api
from loopback_server import Loopback, serve

from earthloom.core.records import Item, Reason, Refused, Scene, Tile
from earthloom.ingest import KINDS
from earthloom.tile import TileSettings, count_windows, cut_tiles

TILE = TileSettings(size=256, min_valid=0.0)
NET = {"allow_private": True, "interval_s": 0.0, "backoff_s": 0.001, "timeout_s": 5.0}
DIRECTLY: dict[str, Json] = {
    "naip": {"path": "naip", "bands": {"rgb": [1, 2, 3], "nir": [4]}},
    "cog": {"path": "cog", "bands": {"rgb": [1, 2, 3]}},
    "landsat8": {
        "path": "landsat8",
        "pattern": r"^LC8\d{6}(?P<date>\d{7})LGN\d\d_(?P<band>B\d+)\.TIF$",
        "bands": {"rgb": ["B4", "B3", "B2"]},
    },
    "spain-s1": {"path": "sentinel_spain/Spain_7370579_S1Hand.tif", "bands": {"vv": [1], "vh": [2]}},
    "spain-s2": {
        "path": "sentinel_spain/Spain_7370579_S2Hand.tif",
        "bands": {"rgb": [4, 3, 2], "nir": [8]},
    },
    "landsat-c2l2-sr": {
        "path": "landsat8_c2_stac",
        "pattern": r"_SR_(?P<band>B\d)\.TIF$",
        "bands": {"rgb": ["B4", "B3", "B2"], "nir": ["B5"]},
        "scale": 2.75e-5,
        "offset": -0.2,
    },
}
"""Each collection as a source of kind `geotiff`."""


def make_items(data: Path, web: str) -> list[Json]:
    """Items of the real files; the last one is USGS's own, of STAC 0.7, with its links turned to loopback."""
    items = []
    for path in sorted((data / "naip").glob("*.tif")):
        image = make_asset(f"{web}/naip/{path.name}", "red", "green", "blue", "nir")
        items.append(make_item(path.stem, {"image": image}, file=path, collection="naip"))
    cog = data / "cog" / "cog1.tif"
    image = make_asset(f"{web}/cog/cog1.tif", "red", "green", "blue", numbers=[{"nodata": 0}] * 3)
    items.append(make_item("cog1", {"data": image}, file=cog, collection="cog"))
    files = sorted((data / "landsat8").glob("*.TIF"))
    assets = {
        path.stem[-2:]: make_asset(f"{web}/landsat8/{path.name}", name)
        for path, name in zip(files, ("blue", "green", "red"), strict=True)
    }
    items.append(make_item("LC8", assets, file=files[0], collection="landsat8"))
    spain = data / "sentinel_spain"
    radar = make_asset(f"{web}/sentinel_spain/Spain_7370579_S1Hand.tif")
    radar["bands"] = [{"name": name, "unit": "dB", "nodata": "nan"} for name in ("VV", "VH")]
    radar_file = spain / "Spain_7370579_S1Hand.tif"
    items.append(make_item("s1", {"chip": radar}, file=radar_file, collection="spain-s1"))
    items[-1]["stac_version"] = "1.1.0"
    optical = make_asset(f"{web}/sentinel_spain/Spain_7370579_S2Hand.tif")
    numbers = [*(f"B{n:02}" for n in range(1, 9)), "B8A", *(f"B{n:02}" for n in range(9, 13))]
    optical["eo:bands"] = [{"name": name} for name in numbers]
    items.append(
        make_item("s2", {"chip": optical}, file=radar_file, collection="spain-s2", platform="sentinel-2b")
    )
    return items


def make_usgs_item(data: Path, web: str) -> Json:
    folder = data / "landsat8_c2_stac"
    (path,) = folder.glob("*_stac.json")
    item: Json = json.loads(path.read_text())
    for asset in item["assets"].values():
        asset["href"] = f"{web}/landsat8_c2_stac/{asset['href'].rpartition('/')[2]}"
    return item


@pytest.fixture(scope="module")
def directly(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Json]]:
    """What the files give when they are read directly, by collection."""
    folder = tmp_path_factory.mktemp("directly")
    return {
        name: describe(cut_source("geotiff", real_data, folder, name="made", **settings))
        for name, settings in DIRECTLY.items()
    }


@pytest.fixture
def web(real_data: Path) -> Iterator[Loopback]:
    with serve() as server:
        server.mount("/files", real_data)
        yield server


_BORDER = {Reason.FLAT, Reason.NO_VALID_PIXELS, Reason.TOO_LITTLE_VALID}


def cut_source(kind: str, root: Path, folder: Path, **settings: Any) -> list[tuple[Scene, list[Tile]]]:
    found = KINDS[kind]
    made = found.settings.model_validate({"kind": kind, **settings})
    scenes = [
        scene for item in found.list_items(made, root) for scene in found.read_item(made, item, root, folder)
    ]
    return [(scene, cut(scene)) for scene in scenes]


def cut(scene: Scene) -> list[Tile]:
    """All windows of a scene; some lie in its black border and are refused as they are directly."""
    outcomes = list(cut_tiles(scene, TILE, 0, count_windows(scene, TILE)))
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, Refused)} <= _BORDER
    return [tile for tile in outcomes if isinstance(tile, Tile)]


def describe(cut: list[tuple[Scene, list[Tile]]]) -> list[Json]:
    """All of a tile but its ids, which name their source."""
    ids = {"id", "scene_id", "base_id", "pair_id"}
    tiles = [
        {"modality": scene.modality, "polarisation": scene.polarisation}
        | {name: value for name, value in asdict(tile).items() if name not in ids}
        for scene, tiles in cut
        for tile in tiles
    ]
    return sorted(tiles, key=lambda tile: (tile["modality"], tile["polarisation"] or "", tile["sha256"]))


@pytest.mark.parametrize("collection", DIRECTLY)
@pytest.mark.parametrize(
    ("post", "faults"), [(False, False), (True, True)], ids=["calm", "one-in-five-fails"]
)
def test_a_search_builds_the_same_tiles(
    web: Loopback,
    real_data: Path,
    tmp_path: Path,
    directly: dict[str, list[Json]],
    collection: str,
    post: bool,
    faults: bool,
) -> None:
    files = f"{web.url}/files"
    items = [*make_items(real_data, files), make_usgs_item(real_data, files)]
    root = serve_api(web, items, post=post, merge=post)
    if faults:
        web.fail_every(5)
    assets: Json = {}
    if collection == "spain-s1":
        assets = {"vv": ("chip:VV",), "vh": ("chip:VH",)}
    cut = cut_source(
        "stac", tmp_path, tmp_path, name="made", url=root, collections=(collection,), assets=assets, net=NET
    )
    assert cut
    assert describe(cut) == directly[collection]
    assert any("range" in seen.headers for seen in web.seen)
    assert len(web.seen) >= 5


def test_dates_of_one_place_share_a_group(web: Loopback, real_data: Path, tmp_path: Path) -> None:
    root = serve_api(web, make_items(real_data, f"{web.url}/files"))
    scenes = read_all(root, tmp_path, collections=("naip",))
    assert len(scenes) == 12
    assert len({scene.group for scene in scenes}) == 1
    assert len({scene.pair_key for scene in scenes}) == 6
    west, south, east, north = ground_of(next((real_data / "naip").glob("*.tif")))
    assert scenes[0].lon == pytest.approx((west + east) / 2, abs=1e-3)
    assert scenes[0].lat == pytest.approx((south + north) / 2, abs=1e-3)


def read_all(root: str, folder: Path, **settings: Any) -> list[Scene]:
    found = KINDS["stac"]
    made = found.settings.model_validate(
        {"kind": "stac", "name": "made", "url": root, "net": NET, **settings}
    )
    items: list[Item] = list(found.list_items(made, folder))
    return [scene for item in items for scene in found.read_item(made, item, folder, folder)]
