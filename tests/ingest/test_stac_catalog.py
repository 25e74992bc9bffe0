"""Static catalogs and item files: walking, links, filters, and facts that only the item knows."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from dataset_contents import origins_of
from fakes.stac import Json, make_asset, make_item, write_json
from hypothesis import given
from hypothesis import strategies as st
from loopback_server import DROP, ERROR, Loopback
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import from_origin

from earthloom.core.errors import RecipeError, RecordError, RunError, UsageError
from earthloom.core.records import Item, Modality, Reason, Scene
from earthloom.ingest import list_items, read_item
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.hrefs import resolve
from earthloom.ingest.stac.intervals import format_interval, parse_interval
from earthloom.recipes import parse_recipe

NET = {"allow_private": True, "interval_s": 0.0, "backoff_s": 0.001, "tries": 2}


def make_settings(**settings: Any) -> StacSettings:
    return StacSettings.model_validate({"kind": "stac", "name": "made", "net": NET, **settings})


def list_all(folder: Path, **settings: Any) -> list[Item]:
    return list(list_items(make_settings(**settings), folder))


def read(folder: Path, item: Json, **settings: Any) -> list[Scene]:
    write_json(folder / "item.json", item)
    made = make_settings(items="item.json", **settings)
    (listed,) = list_items(made, folder)
    return read_item(made, listed, folder, folder)


def write_bands(path: Path, n_bands: int = 1, crs: str | None = "EPSG:32633", shift: float = 0.0) -> Path:
    profile: Json = {"width": 8, "height": 6, "count": n_bands, "dtype": "uint16", "driver": "GTiff"}
    if crs is not None:
        profile |= {"crs": crs, "transform": from_origin(500_000 + shift, 5_000_000, 10, 10)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        file = rasterio.open(path, "w", **profile)
    with file:
        file.write(np.arange(48 * n_bands, dtype=np.uint16).reshape(n_bands, 6, 8))
    return path


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalog of a collection of two items below a folder, with links back, in a circle and to nowhere."""

    def link(rel: str, href: str) -> Json:
        return {"rel": rel, "href": href}

    write_json(
        tmp_path / "catalog.json",
        {
            "type": "Catalog",
            "id": "top",
            "links": [
                link("self", "https://gone.example/catalog.json"),
                link("child", "sub/collection.json"),
            ],
        },
    )
    write_json(
        tmp_path / "sub" / "collection.json",
        {
            "type": "Collection",
            "id": "c",
            "title": "The Collection",
            "license": "CC-BY-4.0",
            "providers": [{"name": "Host", "roles": ["host"]}, {"name": "Maker", "roles": ["producer"]}],
            "item_assets": {"picture": {"eo:bands": [{"common_name": "red"}]}},
            "links": [
                link("parent", "../catalog.json"),
                link("child", "../catalog.json"),
                link("child", "collection.json"),
                link("item", "b/b.json"),
                link("item", "./a.json"),
                link("item", "lost.json"),
                link("item", "broken.json"),
                link("item", "s3://bucket/c.json"),
                link("item", "a.json"),
            ],
        },
    )
    write_json(tmp_path / "sub" / "b" / "b.json", make_item("b", {}, collection="c"))
    write_json(tmp_path / "sub" / "a.json", make_item("a", {}, collection="c"))
    (tmp_path / "sub" / "broken.json").write_text("{")
    return tmp_path


EXPECTED = [
    ("c/b", None),
    ("c/a", None),
    ("lost.json", Reason.MISSING),
    ("broken.json", Reason.UNREADABLE),
    ("c.json", Reason.MISSING),
]


def test_a_local_catalog_is_walked_in_the_order_of_its_links(catalog: Path) -> None:
    found = list_all(catalog, catalog="catalog.json")
    assert [(item.key, item.refused) for item in found] == EXPECTED
    assert list_all(catalog, catalog=".") == found
    assert list_all(catalog, catalog="sub/collection.json", max_items=2) == found[:2]


def test_a_catalog_on_a_server_is_walked_alike(catalog: Path, loopback: Loopback) -> None:
    loopback.mount("/data", catalog)
    loopback.script("/data/sub/a.json", DROP)
    found = list_all(catalog, catalog=f"{loopback.url}/data/catalog.json")
    assert [item.refused for item in found] == [reason for _, reason in EXPECTED]
    assert [item.key for item in found[:2]] == ["c/b", "c/a"]
    assert loopback.count("/data/sub/collection.json") == 1


def test_a_catalog_whose_server_is_gone_ends_the_run(catalog: Path, loopback: Loopback) -> None:
    loopback.mount("/data", catalog)
    loopback.answer("/data/sub/a.json", ERROR)
    with pytest.raises(RunError, match="500"):
        list_all(catalog, catalog=f"{loopback.url}/data/catalog.json")
    with pytest.raises(UsageError, match="there is nothing there"):
        list_all(catalog, catalog="gone.json")
    with pytest.raises(UsageError, match="wanted a STAC catalog"):
        list_all(catalog, catalog="sub/a.json", collections=["x"])


def test_what_the_collection_says_holds_for_its_items(catalog: Path) -> None:
    write_bands(catalog / "sub" / "p.tif")
    item = make_item("p", {"picture": {"href": "p.tif"}}, collection="c")
    write_json(catalog / "sub" / "a.json", item)
    settings = make_settings(catalog="catalog.json", assets={"nir": ["red"]})
    (listed,) = (item for item in list_items(settings, catalog) if item.key == "c/p")
    (scene,) = read_item(settings, listed, catalog, catalog)
    assert (scene.licence, scene.credit, scene.dataset) == ("CC-BY-4.0", "Maker", "The Collection")
    assert scene.modality is Modality.NIR
    assert origins_of(scene)["licence"] == "STAC item"
    assert origins_of(scene)["gsd_x_m"] == "raster header"


def test_item_files_and_collections_of_features(tmp_path: Path) -> None:
    features = {"type": "FeatureCollection", "features": [make_item("a", {}), make_item("b", {})]}
    write_json(tmp_path / "all" / "1.geojson", features)
    write_json(tmp_path / "all" / "2.json", make_item("c", {}))
    write_json(tmp_path / "all" / "3.json", {"type": "Catalog", "links": []})
    (tmp_path / "all" / "4.json").write_text("no json")
    found = list_all(tmp_path, items="all")
    assert [(item.key, item.refused) for item in found] == [
        ("a", None),
        ("b", None),
        ("c", None),
        ("4.json", Reason.UNREADABLE),
    ]
    assert [item.key for item in list_all(tmp_path, items="all/*.geojson")] == ["a", "b"]


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"collections": ["x"]}, ["x/1"]),
        ({"datetime": "2020-05"}, ["x/1"]),
        ({"datetime": "2021/.."}, ["y/2", "y/3"]),
        ({"datetime": "2021-06-15T00:00:00Z"}, ["y/2", "y/3"]),
        ({"cloud_cover": 20}, ["x/1"]),
        ({"bbox": [0.5, 0.5, 2, 2]}, ["x/1", "y/2", "y/3"]),
        ({"bbox": [170, -10, -170, 10]}, ["y/4"]),
        ({"bbox": [0.5, 0.5, 2, 2], "datetime": "2021", "cloud_cover": 50}, ["y/2"]),
    ],
)
def test_filters_hold_without_a_server(tmp_path: Path, settings: Json, keys: list[str]) -> None:
    over_months = {
        "datetime": None,
        "start_datetime": "2021-06-01T00:00:00Z",
        "end_datetime": "2021-07-01T00:00:00Z",
    }
    far = make_item("4", {}, collection="y", datetime="1999-01-01T00:00:00Z")
    corners = [[-179, 0], [-178, 0], [-178, 1], [-179, 0]]
    far["geometry"] = {"type": "Polygon", "coordinates": [corners]}
    items = [
        make_item("1", {}, collection="x", **{"eo:cloud_cover": 20}),
        make_item("2", {}, collection="y", **{"eo:cloud_cover": 20.5}, **over_months),
        make_item("3", {}, collection="y", **over_months),
        far,
    ]
    write_json(tmp_path / "items.json", {"type": "FeatureCollection", "features": items})
    assert [item.key for item in list_all(tmp_path, items="items.json", **settings)] == keys


def test_an_item_that_cannot_be_filtered_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", make_item("a", {}, datetime="yesterday"))
    (item,) = list_all(tmp_path, items="a.json", datetime="2020")
    assert item.refused is Reason.BAD_FACTS


def test_assets_by_key_common_name_and_band(tmp_path: Path) -> None:
    write_bands(tmp_path / "four.tif", 4)
    write_bands(tmp_path / "one.tif")
    assets = {
        "image": make_asset("four.tif", "red", "green", "blue", "nir"),
        "B8": make_asset("one.tif", "nir"),
        "plain": make_asset("four.tif"),
    }

    def bands(**wanted: list[str]) -> dict[str, list[tuple[str, int]]]:
        scenes = read(tmp_path, make_item("a", assets), assets=wanted)
        return {
            scene.modality.value: [(Path(band.uri).name, band.index) for band in scene.bands]
            for scene in scenes
        }

    image = [("four.tif", 1), ("four.tif", 2), ("four.tif", 3)]
    assert bands() == {"rgb": image, "nir": [("one.tif", 1)]}
    assert bands(rgb=["image:blue", "image:2", "red"]) == {"rgb": image[::-1]}
    assert bands(nir=["image:nir"]) == {"nir": [("four.tif", 4)]}
    assert bands(nir=["B8"]) == {"nir": [("one.tif", 1)]}
    assert bands(nir=["plain:4"], sar=["plain:1"]) == {"nir": [("four.tif", 4)], "sar": [("four.tif", 1)]}
    for wanted, reason in (
        ({"nir": ["B9"]}, Reason.MISSING),
        ({"nir": ["image:swir"]}, Reason.MISSING),
        ({"nir": ["image:5"]}, Reason.MISSING),
        ({"nir": ["plain:5"]}, Reason.MISSING),
        ({"nir": ["image"]}, Reason.UNSUPPORTED_PIXELS),
        ({"rgb": ["image", "B8", "B8"]}, Reason.UNSUPPORTED_PIXELS),
    ):
        with pytest.raises(RecordError) as caught:
            bands(**wanted)
        assert caught.value.reason is reason, wanted
    with pytest.raises(RecordError, match="'B9' is not there; the item has B8, image, plain"):
        bands(nir=["B9"])


def test_bands_of_one_role_share_a_grid_and_roles_need_not(tmp_path: Path) -> None:
    write_bands(tmp_path / "a.tif")
    write_bands(tmp_path / "b.tif", shift=5)
    names = ("red", "green", "blue")
    assets = {name: make_asset("a.tif", name) for name in names} | {"nir": make_asset("b.tif", "nir")}
    nir, rgb = read(tmp_path, make_item("a", assets))
    assert nir.pair_key != rgb.pair_key
    assert nir.group == rgb.group
    assert nir.item_id == rgb.item_id
    with pytest.raises(RecordError, match="'blue' lies on another grid than asset 'red'") as caught:
        read(tmp_path, make_item("a", assets | {"blue": make_asset("b.tif", "blue")}))
    assert caught.value.reason is Reason.MISALIGNED


def test_the_item_says_where_a_file_without_geo_reference_lies(tmp_path: Path) -> None:
    write_bands(tmp_path / "a.tif", 3, crs=None)
    item = make_item("a", {"image": make_asset("a.tif", "red", "green", "blue")}, gsd=12.5)
    (scene,) = read(tmp_path, item)
    assert (scene.gsd_x_m, scene.gsd_y_m, scene.lon, scene.lat) == (12.5, 12.5, 0.5, 0.5)
    assert scene.footprint is not None
    assert shapely.from_wkb(scene.footprint).equals(shapely.box(0, 0, 1, 1))
    write_bands(tmp_path / "a.tif", 3)
    (scene,) = read(tmp_path, item)
    assert scene.gsd_x_m == pytest.approx(10, rel=1e-3)
    assert scene.lon == pytest.approx(15, abs=0.01)


def test_an_alternate_link_is_taken_where_the_first_leads_nowhere(tmp_path: Path, loopback: Loopback) -> None:
    write_bands(tmp_path / "a.tif", 3)
    loopback.mount("/files", tmp_path)
    asset = make_asset("s3://bucket/a.tif", "red", "green", "blue")
    with pytest.raises(
        RecordError, match=r"asset 'image': wanted an http or https URL, got s3://bucket/a\.tif"
    ):
        read(tmp_path, make_item("a", {"image": asset}))
    asset["alternate"] = {"https": {"href": f"{loopback.url}/files/a.tif"}}
    (scene,) = read(tmp_path, make_item("a", {"image": asset}))
    assert scene.bands[0].uri == f"{loopback.url}/files/a.tif"


@pytest.mark.parametrize(
    ("href", "base", "place"),
    [
        ("b.tif", "https://x.example/c/item.json", "https://x.example/c/b.tif"),
        ("/b.tif", "https://x.example/c/item.json", "https://x.example/b.tif"),
        ("../b.tif?x=1", "https://x.example/c/d/item.json", "https://x.example/c/b.tif?x=1"),
        ("b.tif", "/data/item.json", "/data/b.tif"),
        ("/else/b.tif", "/data/item.json", "/else/b.tif"),
        ("file:///else/b%20c.tif", "/data/item.json", "/else/b c.tif"),
        ("https://x.example/b.tif", "/data/item.json", "https://x.example/b.tif"),
    ],
)
def test_links_are_resolved(href: str, base: str, place: str) -> None:
    assert resolve(href, base) == place


@pytest.mark.parametrize(
    ("href", "base"),
    [
        ("file:///etc/passwd", "https://x.example/item.json"),
        ("s3://b/x.tif", "/data/item.json"),
        ("ftp://b/x.tif", "https://x.example/item.json"),
        ("", "/data/item.json"),
        (None, "/data/item.json"),
    ],
)
def test_links_that_lead_nowhere(href: object, base: str) -> None:
    with pytest.raises(RecordError) as caught:
        resolve(href, base)
    assert caught.value.reason is Reason.MISSING


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, MOMENTS)
def test_intervals_are_read_as_they_were_written(one: datetime, other: datetime) -> None:
    interval = min(one, other), max(one, other)
    assert parse_interval(format_interval(interval)) == interval
    assert parse_interval(format_interval((None, one))) == (None, one)
    assert parse_interval(format_interval((one, None))) == (one, None)


def test_short_dates_stand_for_all_moments_in_them() -> None:
    assert format_interval(parse_interval("2020-02")) == "2020-02-01T00:00:00Z/2020-02-29T23:59:59.999999Z"
    assert format_interval(parse_interval("2019/2020-02-03")).endswith("/2020-02-03T23:59:59.999999Z")
    assert format_interval(parse_interval("2020-02-03T10:00:00+02:00")) == "2020-02-03T08:00:00Z"


def test_a_recipe_names_files_that_must_exist_and_urls_that_need_not(catalog: Path) -> None:
    recipe = parse_recipe(
        "name: x\nsources:\n- {kind: stac, catalog: catalog.json}\n- {kind: stac, items: 'https://x.example/a.json'}\n"
        "- {kind: stac, url: 'https://x.example/v1', collections: [sentinel-2-l2a]}\n",
        base=catalog,
    )
    assert [source.name for source in recipe.named_sources()] == [
        "catalog.json",
        "x.example",
        "sentinel-2-l2a",
    ]
    with pytest.raises(RecipeError, match="there is no"):
        parse_recipe("name: x\nsources: [{kind: stac, catalog: gone.json}]\n", base=catalog)
