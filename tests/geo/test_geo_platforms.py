from __future__ import annotations

import pytest

from earthloom.geo.platforms import (
    find_platform,
    find_satellite_word,
    find_sensor,
    list_platforms,
    name_platform,
)


@pytest.mark.parametrize(
    ("given", "name", "word"),
    [
        ("sentinel 1", "Sentinel-1", "Sentinel-1"),
        ("S2A", "Sentinel-2", "Sentinel-2"),
        ("gf-1", "Gaofen-1", "GF1"),
        ("Gaofen-2", "Gaofen-2", "GF2"),
        ("TianGong-2", "Tiangong-2", "TG2"),
        ("google_earth", "Google Earth", "Google Earth"),
        ("Landsat-8", "Landsat 8", "Landsat 8"),
        ("Umbra", "Umbra", "Umbra"),
        ("Carrier Pigeon 7", "Carrier Pigeon 7", "Carrier Pigeon 7"),
    ],
)
def test_names_become_canonical_and_get_the_word_of_mmm_rs(given, name, word):
    assert (name_platform(given), find_satellite_word(given)) == (name, word)


def test_sensors_are_named_only_where_there_is_one():
    assert find_sensor("Sentinel-2B") == "MSI"
    assert find_sensor("Landsat 8") is None, "it carries OLI and TIRS"
    assert find_sensor("nothing known") is None


def test_unknown_platforms_are_not_guessed():
    assert find_platform("S9") is None
    assert find_platform("") is None


def test_every_platform_is_found_by_its_own_name():
    platforms = list_platforms()
    assert [find_platform(platform.name) for platform in platforms] == list(platforms)
    assert len({platform.name for platform in platforms}) == len(platforms)
