"""Names of the two siblings that TUM published: SEN1-2 (PNG) and SEN12MS (GeoTIFF) share folders and numbering."""

from __future__ import annotations

import re

from earthloom.core.records import Origin
from earthloom.ingest.scenes import Facts

GSD_M = 10.0
"""Of every file of both: Sentinel-2's finest bands and Sentinel-1 GRD in IW mode are published on 10 m."""
_SEASONS = {"spring": "spring", "summer": "summer", "fall": "autumn", "winter": "winter"}


def match_names(sensors: str, suffix: str) -> re.Pattern[str]:
    """Give what a key looks like: `sensors` are alternatives such as `s1|s2`, `suffix` comes without its dot.

    Groups: `base` (before the season's folder), `season` (its folder), `sensor`, `scene` and `patch` (numbers).
    """
    return re.compile(
        r"(?P<base>(?:.*/)?)(?P<season>ROIs\d+_(?:spring|summer|fall|winter))/"
        rf"(?P<sensor>{sensors})_(?P<scene>\d+)/"
        rf"(?P=season)_(?P=sensor)_(?P=scene)_p(?P<patch>\d+)\.{suffix}"
    )


SEN1_2 = match_names("s1|s2", "png")
SEN12MS = match_names("s1|s2|lc", "tif")


def name_file(match: re.Match[str], sensor: str, suffix: str) -> str:
    """Give the key of another file of the same patch."""
    base, season, scene, patch = match.group("base", "season", "scene", "patch")
    return f"{base}{season}/{sensor}_{scene}/{season}_{sensor}_{scene}_p{patch}.{suffix}"


def name_item(match: re.Match[str]) -> str:
    """Give the key of the patch: season, scene and number."""
    return f"{match['base']}{match['season']}/{match['scene']}/p{match['patch']}"


def name_scene(item_key: str) -> str:
    """Give the group of a patch: patches of one scene overlap and repeat each other."""
    return item_key.rpartition("/")[0]


def facts_of_season(item_key: str, split: str = "") -> Facts:
    """Give the season that a key names (the meteorological one of the publisher) and the publisher's split."""
    word = item_key.split("/")[-3].rpartition("_")[2]
    return Facts(origin=Origin.NAME, season=_SEASONS[word], published_split=split or None)
