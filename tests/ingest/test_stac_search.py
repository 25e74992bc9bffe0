"""Searching a STAC API: pages, questions, servers in trouble, items that cost themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_contents import select
from fakes.stac import Json, make_asset, make_item, serve_api
from loopback_server import DROP, ERROR, Answer, Loopback, json_answer
from pydantic import ValidationError
from rasterio.transform import from_origin

import earthloom
from earthloom.core.errors import RecordError, RunError, UsageError
from earthloom.core.records import Item, Reason, Scene
from earthloom.ingest import KINDS, list_items, read_item
from earthloom.ingest.stac.config import StacSettings
from earthloom.recipes import parse_recipe

NET = {"allow_private": True, "interval_s": 0.0, "backoff_s": 0.001, "timeout_s": 5.0, "tries": 3}


def make_settings(url: str, **settings: Any) -> StacSettings:
    return StacSettings.model_validate({"kind": "stac", "name": "made", "url": url, "net": NET, **settings})


def list_all(url: str, **settings: Any) -> list[Item]:
    return list(list_items(make_settings(url, **settings), Path()))


def keys_of(items: list[Item]) -> list[str]:
    return [item.key for item in items]


def make_items(n: int = 5, collection: str = "one") -> list[Json]:
    return [make_item(f"i{number}", {}, collection=collection) for number in range(n)]


@pytest.mark.parametrize(("post", "merge"), [(False, False), (True, False), (True, True)])
def test_all_pages_are_followed_in_their_order(loopback: Loopback, post: bool, merge: bool) -> None:
    url = serve_api(loopback, [*make_items(), *make_items(3, "two")], post=post, merge=merge)
    assert keys_of(list_all(url, collections=["one"])) == [f"one/i{n}" for n in range(5)]
    searches = [seen for seen in loopback.seen if seen.path == "/api/search"]
    assert [seen.method for seen in searches] == ["POST" if post else "GET"] * 3


def test_pages_are_asked_for_as_they_are_needed(loopback: Loopback) -> None:
    url = serve_api(loopback, make_items())
    assert keys_of(list_all(url, max_items=2)) == ["one/i0", "one/i1"]
    assert loopback.count("/api/search") == 1
    assert len(list_all(url, limit=2)) == 2
    assert keys_of(list_all(url, limit=2)) == keys_of(list_all(url, limit=2))


@pytest.mark.parametrize("post", [False, True])
def test_the_question_that_is_asked(loopback: Loopback, post: bool) -> None:
    url = serve_api(loopback, make_items(1), post=post)
    list_all(
        url,
        collections=["one"],
        bbox=[-1, -2, 3, 4.5],
        datetime="2020-05/2020-06-03",
        query={"platform": {"eq": "x"}},
    )
    seen = loopback.seen[1]
    when = "2020-05-01T00:00:00Z/2020-06-03T23:59:59.999999Z"
    if post:
        assert seen.json() == {
            "limit": 100,
            "collections": ["one"],
            "bbox": [-1, -2, 3, 4.5],
            "datetime": when,
            "query": {"platform": {"eq": "x"}},
        }
    else:
        assert dict(seen.query) == {
            "limit": ["100"],
            "collections": ["one"],
            "bbox": ["-1.0,-2.0,3.0,4.5"],
            "datetime": [when],
            "query": ['{"platform": {"eq": "x"}}'],
        }


def test_clouds_are_asked_for_where_the_server_understands_and_filtered_in_any_case(
    loopback: Loopback,
) -> None:
    items = [
        make_item(str(cover), {}, collection="one", **({} if cover is None else {"eo:cloud_cover": cover}))
        for cover in (5, 10, 11, None)
    ]
    url = serve_api(loopback, items)
    assert keys_of(list_all(url, cloud_cover=10)) == ["one/5", "one/10"]
    assert "query" not in loopback.seen[1].query
    conforms = ["https://api.stacspec.org/v1.0.0/item-search#query"]
    loopback.answer("/api", json_answer({"conformsTo": conforms, "links": []}))
    list_all(url, cloud_cover=10)
    (last,) = [seen for seen in loopback.seen if seen.path == "/api/search"][-1:]
    assert last.query["query"] == ['{"eo:cloud_cover": {"lte": 10.0}}']


def test_repetitions_are_dropped_and_another_item_of_one_key_is_refused(loopback: Loopback) -> None:
    item = make_item("a", {}, collection="one")
    other = make_item("a", {}, collection="one", platform="x")
    found = list_all(serve_api(loopback, [item, item, other, make_item("b", {}, collection="one")], page=1))
    assert [(one.key, one.refused) for one in found] == [
        ("one/a", None),
        ("one/a", Reason.DUPLICATE),
        ("one/b", None),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        "text",
        {"type": "Feature"},
        {"type": "Collection", "id": "x"},
        {"type": "Feature", "id": "x", "properties": [], "assets": {}},
        {"type": "Feature", "id": "x", "properties": {}, "assets": {"a": 1}},
    ],
)
def test_what_is_no_item_costs_itself(loopback: Loopback, broken: Any) -> None:
    good = make_item("good", {}, collection="one")
    loopback.answer("/api", json_answer({"links": []}))
    loopback.answer("/api/search", json_answer({"type": "FeatureCollection", "features": [broken, good]}))
    first, second = list_all(f"{loopback.url}/api")
    assert first.refused is Reason.BAD_FACTS
    assert (second.key, second.refused) == ("one/good", None)


def test_an_item_that_pystac_cannot_read_is_refused(loopback: Loopback, tmp_path: Path) -> None:
    item = make_item("bad", {}, collection="one")
    item["properties"]["datetime"] = None
    (listed,) = list_all(serve_api(loopback, [item]))
    with pytest.raises(RecordError) as caught:
        read_item(make_settings(loopback.url), listed, tmp_path, tmp_path)
    assert caught.value.reason is Reason.BAD_FACTS


def test_a_changed_item_has_another_document(loopback: Loopback) -> None:
    url = serve_api(loopback, [make_item("a", {}, collection="one")])
    (before,) = list_all(url)
    assert list_all(url) == [before]
    serve_api(loopback, [make_item("a", {}, collection="one", platform="x")])
    assert list_all(url)[0].document != before.document


def test_a_server_in_trouble_is_asked_again(loopback: Loopback) -> None:
    url = serve_api(loopback, make_items())
    loopback.script("/api", ERROR)
    loopback.script("/api/search", DROP, Answer(status=503))
    assert len(list_all(url)) == 5


def test_a_server_that_does_not_answer_ends_the_run(loopback: Loopback) -> None:
    url = serve_api(loopback, make_items())
    loopback.answer("/api/search", ERROR)
    with pytest.raises(RunError, match="500"):
        list_all(url)
    assert loopback.count("/api/search") == 3


@pytest.mark.parametrize(
    "answer", [Answer(status=404), Answer(status=403), Answer(body=b"<html>"), json_answer([])]
)
def test_a_wrong_address_is_a_wrong_call(loopback: Loopback, answer: Answer) -> None:
    loopback.answer("/api", answer)
    with pytest.raises(UsageError, match="cannot be listed"):
        list_all(f"{loopback.url}/api")


def test_private_addresses_are_not_asked_unless_allowed(loopback: Loopback) -> None:
    with pytest.raises(UsageError, match="private"):
        list_all(serve_api(loopback, make_items()), net=NET | {"allow_private": False})


def test_nothing_found_is_said(loopback: Loopback) -> None:
    with pytest.raises(UsageError, match="no item"):
        list_all(serve_api(loopback, make_items()), collections=["three"])


def test_pages_in_a_circle_are_noticed(loopback: Loopback) -> None:
    url = serve_api(loopback, make_items())
    link = {"rel": "next", "href": f"{url}/search?token=1"}
    loopback.answer("/api/search", json_answer({"features": make_items(1), "links": [link]}))
    with pytest.raises(RunError, match="circle"):
        list_all(url)


def test_a_token_goes_to_its_host_and_nowhere_else(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STAC_TOKEN", "Authorization: Bearer very-secret")
    url = serve_api(loopback, [make_item("a", {"visual": make_asset("/gone.tif")}, collection="one")])
    credentials = [{"host": "127.0.0.1", "env": "STAC_TOKEN"}]
    settings = make_settings(url, net=NET | {"credentials": credentials})
    (item,) = list_items(settings, tmp_path)
    assert {seen.headers.get("authorization") for seen in loopback.seen} == {"Bearer very-secret"}
    with pytest.raises(RecordError) as caught:
        read_item(settings, item, tmp_path, tmp_path)
    assert caught.value.reason is Reason.MISSING
    everything = f"{item} {settings.model_dump_json()} {caught.value.detail}"
    assert "very-secret" not in everything
    elsewhere = make_settings(url, net=NET | {"credentials": [{"host": "example.org", "env": "STAC_TOKEN"}]})
    loopback.seen.clear()
    list(list_items(elsewhere, tmp_path))
    assert {seen.headers.get("authorization") for seen in loopback.seen} == {None}


@pytest.fixture
def rasters(tmp_path: Path) -> Path:
    """Five rasters of five dates."""
    import rasterio

    (tmp_path / "rasters").mkdir()
    rng = np.random.default_rng(7)
    for number in range(5):
        with rasterio.open(
            tmp_path / "rasters" / f"r{number}.tif",
            "w",
            driver="GTiff",
            width=160,
            height=128,
            count=3,
            dtype="uint8",
            crs="EPSG:32633",
            transform=from_origin(500_000 + 5000 * number, 5_000_000, 10, 10),
        ) as file:
            file.write(rng.integers(1, 255, (3, 128, 160), dtype=np.uint8))
    return tmp_path / "rasters"


def serve_rasters(web: Loopback, rasters: Path) -> str:
    web.mount("/files", rasters)
    items = [
        make_item(
            path.stem,
            {"visual": make_asset(f"/files/{path.name}", "red", "green", "blue")},
            file=path,
            collection="made",
            platform="landsat-8",
        )
        for path in sorted(rasters.glob("*.tif"))
    ]
    return serve_api(web, items)


RECIPE = """\
name: searched
sources:
  - kind: stac
    url: {url}
    licence: CC0-1.0
    net: {{allow_private: true, interval_s: 0, backoff_s: 0.001, tries: {tries}}}
tile: {{size: 64}}
"""


DIRECTLY = """\
name: direct
sources: [{kind: geotiff, path: rasters, bands: {rgb: [1, 2, 3]}, licence: CC0-1.0}]
tile: {size: 64}
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_reads_its_windows_from_the_server(
    loopback: Loopback, rasters: Path, workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    url = serve_rasters(loopback, rasters)
    loopback.fail_every(5)
    recipe = parse_recipe(RECIPE.format(url=url, tries=5), base=rasters)
    earthloom.build(recipe, rasters.parent / "work", base=rasters, workers=workers)
    directly = parse_recipe(DIRECTLY, base=rasters.parent)
    earthloom.build(directly, rasters.parent / "direct", base=rasters.parent, workers=0)
    what = "sha256, crop, gsd_m, footprint"
    assert len(select(rasters.parent / "direct", what)) == 5 * 6
    assert sorted(map(str, select(rasters.parent / "work", what))) == sorted(
        map(str, select(rasters.parent / "direct", what))
    )
    assert "Error" not in capfd.readouterr().err  # of the workers, as they end
    told = select(rasters.parent / "work", "distinct platform, acquired, licence")
    assert told == [("Landsat 8", "2020-05-17T10:00:00Z", "CC0-1.0")]


def test_a_dropped_connection_costs_one_item(loopback: Loopback, rasters: Path, tmp_path: Path) -> None:
    url = serve_rasters(loopback, rasters)
    loopback.answer("/files/r2.tif", DROP)
    scenes: dict[str, list[Scene]] = {}
    refused: dict[str, Reason] = {}
    settings = make_settings(url)
    for item in list_items(settings, tmp_path):
        try:
            scenes[item.key] = read_item(settings, item, tmp_path, tmp_path)
        except RecordError as error:
            refused[item.key] = error.reason
            assert "'visual'" in error.detail
    assert sorted(scenes) == [f"made/r{n}" for n in (0, 1, 3, 4)]
    assert refused == {"made/r2": Reason.UNREACHABLE}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": "https://x.example", "items": "a.json"},
        {"url": "x.example/v1"},
        {"url": "https://x.example", "datetime": "May 2020"},
        {"url": "https://x.example", "datetime": "2020-06/2020-05"},
        {"url": "https://x.example", "datetime": "2020-06-01T10:00:00"},
        {"url": "https://x.example", "datetime": "../.."},
        {"url": "https://x.example", "bbox": [0, 10, 1, 5]},
        {"url": "https://x.example", "cloud_cover": 101},
        {"items": "a.json", "query": {}},
        {"items": "a.json", "assets": {"rgb": ["red", "green"]}},
        {"items": "a.json", "assets": {"red": ["red"]}},
        {"items": "a.json", "assets": {"alpha": ["mask"]}},
    ],
)
def test_wrong_settings(settings: Json) -> None:
    with pytest.raises(ValidationError):
        StacSettings.model_validate({"kind": "stac", **settings})


def test_the_kind_is_known_and_its_parts_are_hashable_by_content() -> None:
    assert KINDS["stac"].settings is StacSettings
    one = make_settings("https://x.example")
    assert one.digest() != one.model_copy(update={"max_items": 3}).digest()
    assert replace(Item(key="a", parts=()), document="x") == Item(key="a", parts=(), document="x")
