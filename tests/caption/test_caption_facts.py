"""Facts become statements; what is unknown or unsayable becomes none."""

from __future__ import annotations

import dataclasses
import math

import pytest
from caption_records import (
    label,
    make_atlas,
    make_eurosat,
    make_naip,
    make_scene,
    make_sentinel1,
    make_tile,
    with_fog,
)

from earthloom.caption.cleaning import clean_name
from earthloom.caption.facts import find_season, find_zone, gather
from earthloom.caption.labels import find_cell
from earthloom.caption.statements import Acquired, Cell, Cover, Frame, SceneClass, Season, Signal, Zone
from earthloom.core.records import Box, Crop, Label, Modality, Provenance, Stretch
from earthloom.geo.levels import GsdLevel
from earthloom.geo.platforms import Carrier


def test_that_a_bare_image_has_two_statements() -> None:
    said = list(gather(make_scene(), make_tile()))
    assert [type(statement) for statement in said] == [Signal, Frame]


def test_a_satellite_chip() -> None:
    said = gather(*make_eurosat())
    assert said.platform is not None
    assert (said.platform.name, said.platform.carrier, said.platform.radar) == (
        "Sentinel-2",
        Carrier.SATELLITE,
        False,
    )
    assert said.sensor is not None
    assert said.sensor.name == "MSI"
    assert said.resolution is not None
    assert (said.resolution.gsd_m, said.resolution.level) == (10.0, GsdLevel.LOW)
    assert said.extent is not None
    assert said.extent.width_m == 512 * 1.25
    assert said.collection is not None
    assert said.collection.title == "EuroSAT"
    assert said.classes == (SceneClass(origin="dataset documentation", name="annual crop", is_whole=True),)


def test_an_aerial_window() -> None:
    said = gather(*make_naip())
    assert said.platform is not None
    assert said.platform.carrier is Carrier.AIRCRAFT
    assert said.position is not None
    assert said.position.zone is Zone.NORTH
    assert said.season is not None
    assert said.season.season is Season.AUTUMN
    assert said.validity is not None
    assert said.validity.share == 0.93


def test_a_radar_chip() -> None:
    said = gather(*make_sentinel1())
    assert said.signal.modality is Modality.SAR
    assert said.polarisation is not None
    assert said.display is not None
    assert (said.display.low_db, said.display.high_db) == (-25.0, 0.0)
    assert said.season is None  # 4 degrees south has no meteorological seasons


def test_that_radar_facts_are_said_of_radar_alone() -> None:
    scene = make_scene(modality=Modality.RGB, polarisation="VV", looks=4.0)
    said = gather(scene, make_tile(stretch=Stretch(method="db", low=(-25.0,), high=(0.0,))))
    assert said.polarisation is said.looks is said.display is None


def test_that_looks_are_dropped_when_averaging_added_to_them() -> None:
    scene = make_scene(modality=Modality.SAR, looks=4.0)
    assert gather(scene, make_tile(gsd_m=2.0, native_gsd_m=2.0)).looks is not None
    assert gather(scene, make_tile(gsd_m=4.0, native_gsd_m=2.0)).looks is None


def test_that_a_synthetic_place_is_no_place() -> None:
    said = gather(*make_atlas(2))
    assert said.synthetic is not None
    assert said.position is None
    assert said.looks is not None


def test_that_a_source_name_is_no_title() -> None:
    assert gather(make_scene(source="s2", dataset="s2"), make_tile()).collection is None


def test_that_native_is_said_only_where_finer() -> None:
    finer = gather(make_scene(), make_tile(gsd_m=2.0, native_gsd_m=0.594)).resolution
    equal = gather(make_scene(), make_tile(gsd_m=2.0, native_gsd_m=1.99)).resolution
    assert finer is not None
    assert equal is not None
    assert (finer.native_gsd_m, equal.native_gsd_m) == (0.594, None)


@pytest.mark.parametrize("gsd_m", [0.0, -1.0, math.nan, math.inf])
def test_that_an_impossible_gsd_is_unknown(gsd_m: float) -> None:
    said = gather(make_scene(), make_tile(gsd_m=gsd_m, pixel_m=gsd_m))
    assert said.resolution is said.extent is None


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2019", (2019, None, None)),
        ("2019-09", (2019, 9, None)),
        ("2019-09-04", (2019, 9, 4)),
        ("2019-09-04T17:01:02Z", (2019, 9, 4)),
        ("2019-02-30", None),
        ("2019-13", None),
        ("4.9.2019", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(text: str | None, date: tuple[int, int | None, int | None] | None) -> None:
    acquired = gather(make_scene(acquired=text), make_tile()).acquired
    expected = (
        None
        if date is None
        else Acquired(origin="dataset documentation", year=date[0], month=date[1], day=date[2])
    )
    assert acquired == expected


@pytest.mark.parametrize(
    ("lat", "zone"),
    [
        (89.0, Zone.ARCTIC),
        (66.56, Zone.ARCTIC),
        (66.5, Zone.NORTH),
        (23.5, Zone.NORTH),
        (0.0, Zone.TROPICS),
        (-23.44, Zone.TROPICS),
        (-40.0, Zone.SOUTH),
        (-70.0, Zone.ANTARCTIC),
    ],
)
def test_zones(lat: float, zone: Zone) -> None:
    assert find_zone(lat) is zone


def test_seasons_turn_with_the_hemisphere() -> None:
    winter, spring, summer, autumn = (season.value for season in Season)
    names = [*[winter] * 2, *[spring] * 3, *[summer] * 3, *[autumn] * 3, winter]
    north = [find_season(month, Zone.NORTH) for month in range(1, 13)]
    assert [str(season) for season in north] == names
    assert [find_season(month, Zone.SOUTH) for month in range(1, 13)] == north[6:] + north[:6]
    assert find_season(7, Zone.TROPICS) is None


def test_cells_in_reading_order() -> None:
    centres = [(x, y) for y in (10, 45, 80) for x in (10, 45, 80)]
    found = [find_cell(Box(x0=x - 5, y0=y - 5, x1=x + 5, y1=y + 5), 90, 90) for x, y in centres]
    assert found == list(Cell)


def test_that_labels_are_sorted_and_counted() -> None:
    labels = (
        label("forest", share=0.2),
        label("water", share=0.7),
        label("ship", box=(0, 0, 10, 10)),
        label("background", share=0.1),
        label("pier", box=(0, 0, 4, 4)),
        label("ship", box=(500, 500, 510, 510)),
    )
    said = gather(make_scene(), make_tile(labels=labels))
    assert [(cover.name, cover.share) for cover in said.covers] == [("water", 0.7), ("forest", 0.2)]
    assert [(group.name, group.count, group.cells) for group in said.objects] == [
        ("ship", 2, (Cell.UPPER_LEFT, Cell.LOWER_RIGHT)),
        ("pier", 1, (Cell.UPPER_LEFT,)),
    ]


def test_that_places_of_objects_are_said_only_where_all_are_known() -> None:
    nowhere = Label(name="ship", kind="object", origin="x")
    group = gather(make_scene(), make_tile(labels=(label("ship", box=(0, 0, 9, 9)), nowhere))).objects[0]
    assert (group.count, group.cells) == (2, ())


@pytest.mark.parametrize("share", [0.0, -0.2, 1.2, math.nan, None])
def test_that_an_impossible_share_is_unknown(share: float | None) -> None:
    labels = (Label(name="forest", kind="cover", origin="x", share=share),)
    assert gather(make_scene(), make_tile(labels=labels)).covers == ()


def test_that_a_class_need_not_hold_for_a_part() -> None:
    scene, tile = make_eurosat("airport")
    part = dataclasses.replace(tile, crop=Crop(col=0, row=0, width=32, height=32))
    assert [c.is_whole for c in gather(scene, part).classes] == [False]


def test_that_statements_carry_their_origin() -> None:
    origins = (
        Provenance(fact="acquired", origin="file name"),
        Provenance(fact="gsd_x_m", origin="raster header"),
    )
    scene = make_scene(acquired="2019-07", provenance=origins)
    tile = make_tile(gsd_m=10.0, pixel_m=10.0, lat=50.0, lon=8.0, labels=(label("forest", share=0.5),))
    said = gather(scene, tile)
    assert said.acquired is not None
    assert said.resolution is not None
    assert said.season is not None
    assert (said.acquired.origin, said.resolution.origin) == ("file name", "raster header")
    assert said.season.origin == "computed"
    assert said.covers == (Cover(origin="dataset documentation", name="forest", share=0.5),)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Mount  Yasur,\n Vanuatu", "Mount Yasur, Vanuatu"),
        ("low_light", "low light"),
        ("", None),
        ("   ", None),
        ("123", None),
        ("a" * 49, None),
        ("one two three four five six seven", None),
        ('the "dump"', None),
        ("The", None),
        ("The Hague", "The Hague"),
        ("bell\x07", None),
        (None, None),
    ],
)
def test_names(name: str | None, cleaned: str | None) -> None:
    assert clean_name(name) == cleaned


@pytest.mark.parametrize(
    ("effect", "word"),
    [
        ("fog", "fog"),
        ("low_light", "night"),
        ("snow", "snow"),
        ("haze", "haze"),
        ("dust storm", "dust storm"),
    ],
)
def test_weather_words(effect: str, word: str) -> None:
    weather = gather(*with_fog(make_eurosat(), effect)).weather
    assert weather is not None
    assert weather.word == word


def test_that_clear_is_no_weather() -> None:
    assert gather(*with_fog(make_eurosat(), "clear")).weather is None
