"""Facts become statements; what is unknown or unsayable becomes none."""

from __future__ import annotations

import dataclasses
import math

import pytest
from caption_records import (
    label,
    make_atlas,
    make_dated_season,
    make_eurosat,
    make_fmow,
    make_foggy_source,
    make_gid,
    make_naip,
    make_scene,
    make_sentinel1,
    make_tile,
    with_fog,
)

from earthloom.caption.facts import gather
from earthloom.caption.facts.cleaning import clean_name
from earthloom.caption.facts.labels import find_cell
from earthloom.caption.facts.situation import find_season, find_zone
from earthloom.caption.facts.statements import Acquired, Cell, Cover, Frame, SceneClass, Season, Signal, Zone
from earthloom.core.records import (
    Appearance,
    Border,
    Box,
    Crop,
    Effect,
    Label,
    Modality,
    Provenance,
    Stretch,
)
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
        ("{place}", None),
        ("<b>Rome</b>", None),
        ("Fish &amp; Chips", None),
        ("https://example.org", None),
        ("Black & White Lake", "Black & White Lake"),
        ("Texas A&M", "Texas A&M"),
        ("print()", None),
        ("- a list", None),
        ("2. a list", None),
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


def test_facts_of_a_commercial_satellite() -> None:
    said = gather(*make_fmow())
    assert said.country is not None
    assert said.country.name == "United States"
    assert said.sun is not None
    assert said.sun.elevation_deg == 41.6
    assert said.view is not None
    assert said.view.off_nadir_deg == 17.3
    assert said.cloud_cover is not None
    assert said.cloud_cover.share == 0.07
    assert said.brightness is not None
    assert (said.brightness.median, said.brightness.unit) == (0.34, "level")


@pytest.mark.parametrize(
    ("word", "name"),
    [("KE", "Kenya"), ("NL", "Netherlands"), ("Atlantis", "Atlantis"), ("the", None), (None, None)],
)
def test_countries(word: str | None, name: str | None) -> None:
    country = gather(make_scene(country=word), make_tile()).country
    assert (country.name if country is not None else None) == name


def test_that_a_country_is_not_said_beside_a_place_that_names_it() -> None:
    assert gather(make_scene(country="VU", place="Mount Yasur, Vanuatu"), make_tile()).country is None


def test_that_cloud_cover_holds_for_a_tile_that_shows_the_scene() -> None:
    scene, tile = make_fmow()
    part = dataclasses.replace(tile, crop=Crop(col=0, row=0, width=300, height=512))
    assert gather(scene, part).cloud_cover is None


def test_that_a_synthetic_landscape_has_no_world() -> None:
    scene, tile = make_fmow()
    said = gather(dataclasses.replace(scene, synthetic=True, season="summer"), tile)
    world = (said.country, said.sun, said.view, said.cloud_cover, said.season, said.acquired, said.platform)
    assert world == (None,) * 7


@pytest.mark.parametrize("value", [math.nan, math.inf, -91.0, 91.0])
def test_that_impossible_angles_are_unknown(value: float) -> None:
    said = gather(make_scene(sun_elevation_deg=value, off_nadir_deg=value, cloud_share=value), make_tile())
    assert said.sun is said.view is said.cloud_cover is None


@pytest.mark.parametrize(
    ("word", "season"),
    [("summer", "summer"), ("Fall", "autumn"), ("autumn", "autumn"), ("monsoon", None), (None, None)],
)
def test_that_a_season_without_a_date_is_the_sources(word: str | None, season: str | None) -> None:
    found = gather(make_scene(season=word), make_tile()).season
    assert (found.season.value if found is not None else None) == season


def test_that_a_date_outweighs_a_stated_season() -> None:
    scene, tile = make_dated_season("winter")
    dated = dataclasses.replace(scene, acquired="2017-07")
    assert gather(dated, tile).season is None  # no latitude: the month alone has no season
    placed = gather(dated, dataclasses.replace(tile, lat=50.0, lon=8.0)).season
    assert placed is not None
    assert placed.season is Season.SUMMER


def test_that_borders_are_those_of_covers_that_can_be_said() -> None:
    borders = (
        Border(names=("background", "forest"), share=0.5),
        Border(names=("forest", "water"), share=0.2),
        Border(names=("cropland", "forest"), share=0.3),
        Border(names=("forest", "road"), share=0.1),
    )
    labels = tuple(label(name, share=0.25) for name in ("forest", "water", "cropland", "background"))
    said = gather(make_scene(), make_tile(labels=labels, borders=borders))
    assert [(b.first, b.second, b.share) for b in said.adjacent] == [
        ("cropland", "forest", 0.3),
        ("forest", "water", 0.2),
    ]
    assert len(gather(*make_gid()).adjacent) == 3


@pytest.mark.parametrize(
    ("low", "median", "high"), [(0.5, 0.4, 0.6), (0.1, math.nan, 0.2), (0.3, 0.4, 0.2)], ids=str
)
def test_that_percentiles_out_of_order_are_unknown(low: float, median: float, high: float) -> None:
    seen = Appearance(low=low, median=median, high=high, unit="level")
    assert gather(make_scene(), make_tile(appearance=seen)).brightness is None


def test_that_only_radar_is_measured_in_decibels() -> None:
    seen = Appearance(low=-20.0, median=-12.0, high=-5.0, unit="dB")
    assert gather(make_scene(), make_tile(appearance=seen)).brightness is None
    assert gather(make_scene(modality=Modality.SAR), make_tile(appearance=seen)).brightness is not None


def test_that_weather_of_the_source_is_not_simulated() -> None:
    weather = gather(*make_foggy_source("snow")).weather
    assert weather is not None
    assert (weather.word, weather.severity, weather.is_simulated) == ("snow", "", False)
    effect = Effect(name="haze", severity="heavy", is_visible=True, params="{}", seed=1)
    scene, tile = make_foggy_source("fog")
    laid = gather(scene, dataclasses.replace(tile, effect=effect)).weather
    assert laid is not None
    assert (laid.effect, laid.is_simulated) == ("haze", True)
    assert gather(*make_foggy_source("clear")).weather is None
    assert gather(dataclasses.replace(scene, modality=Modality.SAR), tile).weather is None


def test_that_an_effect_of_an_earlier_release_stays_simulated() -> None:
    mark = Label(name="fog", kind="weather", origin="synthetic")
    weather = gather(make_scene(), make_tile(labels=(mark,))).weather
    assert weather is not None
    assert weather.is_simulated


def test_that_lengths_are_those_of_whole_boxes() -> None:
    """3-4-5: an oriented box of 50 by 10 pixels lies in an upright one of 46 by 38."""
    corners = (100.0, 100.0, 140.0, 130.0, 134.0, 138.0, 94.0, 108.0)
    oriented = dataclasses.replace(label("ship", box=(94, 100, 140, 138)), corners=corners)
    upright = label("ship", box=(200, 200, 230, 220))
    cut = label("ship", box=(480, 300, 512, 310))
    truncated = dataclasses.replace(label("ship", box=(300, 300, 320, 310)), truncated=True)
    tile = make_tile(pixel_m=0.5, labels=(oriented, upright, cut, truncated))
    group = gather(make_scene(), tile).objects[0]
    assert group.lengths_m == pytest.approx((25.0, 15.0))
    assert gather(make_scene(), dataclasses.replace(tile, pixel_m=None)).objects[0].lengths_m == ()


def test_that_spacing_is_the_median_distance_to_the_next_one() -> None:
    """Centres at 10, 40, 110 and 250: the next ones are 30, 30, 70 and 140 pixels away."""
    labels = tuple(label("car", box=(x - 5, 20, x + 5, 30)) for x in (10, 40, 110, 250))
    group = gather(make_scene(), make_tile(pixel_m=0.2, labels=labels)).objects[0]
    assert group.spacing_m == pytest.approx(0.2 * (30 + 70) / 2)
    assert gather(make_scene(), make_tile(pixel_m=0.2, labels=labels[:2])).objects[0].spacing_m is None
    assert gather(make_scene(), make_tile(labels=labels)).objects[0].spacing_m is None
