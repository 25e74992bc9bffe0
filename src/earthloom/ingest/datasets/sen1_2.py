"""SEN1-2: 282,384 pairs of Sentinel-1 and Sentinel-2 chips (Schmitt, Hughes, Zhu 2018, arXiv 1807.01569).

The sibling SEN12MS (16-bit GeoTIFF, all bands) is another dataset with another module: its files are strays here.
"""

from __future__ import annotations

import re
from typing import Literal

from earthloom.core.records import Item, Modality, Origin, Part, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.reading import make_dataset_scene, read_picture
from earthloom.ingest.scenes import Facts


class Sen12Settings(DatasetSettings):
    """SEN1-2: 256-pixel pairs of Sentinel-1 and Sentinel-2 (RGB) at 10 m, in folders by season and scene."""

    kind: Literal["sen1_2"]
    """What kind of source this is."""
    polarisation: Literal["VV", "VH"] = "VV"
    """Of the radar chips: the paper says VV, the files do not say it."""


ABOUT = About(
    title="SEN1-2",
    what="Sentinel-1 VV and Sentinel-2 RGB, 256 x 256 PNG, 10 m; co-registered pairs in four seasons",
    layout=(
        "ROIs1158_spring/s1_0/ROIs1158_spring_s1_0_p1.png    (also ROIs1868_summer, ROIs1970_fall, ROIs2017_winter)",
        "ROIs1158_spring/s2_0/ROIs1158_spring_s2_0_p1.png",
    ),
    whole=(("pairs", 282_384),),
    licence=None,
    terms="The publisher's page states terms that were not confirmed here; Copernicus data underneath are free to use.",
    credit="Schmitt, Hughes, Zhu 2018 (SEN1-2); contains modified Copernicus Sentinel data",
    example="- {kind: sen1_2, path: sen1-2}\n",
    in_archives=True,
)

_NAME = re.compile(
    r"(?P<before>(?:.*/)?(?P<season>ROIs\d+_(?P<word>spring|summer|fall|winter))/)"
    r"s(?P<sensor>[12])_(?P<scene>\d+)/(?P=season)_s(?P=sensor)_(?P=scene)_p(?P<patch>\d+)\.png"
)
_SEASONS = {"spring": "spring", "summer": "summer", "fall": "autumn", "winter": "winter"}
_GSD_M = 10.0
_RGB = Facts(origin=Origin.DOCUMENTATION, platform="Sentinel-2", sensor="MSI", gsd_x_m=_GSD_M, gsd_y_m=_GSD_M)
_RADAR = Facts(
    origin=Origin.DOCUMENTATION, platform="Sentinel-1", sensor="C-SAR", gsd_x_m=_GSD_M, gsd_y_m=_GSD_M
)


def place(settings: Sen12Settings, key: str) -> Place | None:
    """Pairs by name: the folder and the file name differ in `s1` and `s2` alone."""
    match = _NAME.fullmatch(key)
    if match is None:
        return None
    before, season, scene, patch = match.group("before", "season", "scene", "patch")
    s1, s2 = (f"{before}s{n}_{scene}/{season}_s{n}_{scene}_p{patch}.png" for n in (1, 2))
    return Place(
        item=f"{before}{scene}/p{patch}",
        role=f"s{match['sensor']}",
        files={"s1": (s1,), "s2": (s2,)},
        carriers=("s2", "s1"),
        needed=("s1", "s2"),
    )


def read(settings: Sen12Settings, item: Item) -> list[Scene]:
    """Two scenes, or one where the other half is missing; the chips of one scene of Sentinel share a group."""
    folder, _, _ = item.key.rpartition("/")
    season = next((word for word in _SEASONS if f"_{word}/" in f"{item.key}/"), None)
    name = Facts(origin=Origin.NAME, season=None if season is None else _SEASONS[season])
    scenes = []
    for role in ("s2", "s1"):
        part = part_of(item, role)
        if part is not None:
            scenes.append(_read_half(settings, item, part, name, folder))
    return scenes


def _read_half(settings: Sen12Settings, item: Item, part: Part, name: Facts, folder: str) -> Scene:
    is_radar = part.role == "s1"
    modality = Modality.SAR if is_radar else Modality.RGB
    said = Facts(
        origin=Origin.RECIPE if "polarisation" in settings.model_fields_set else Origin.DOCUMENTATION,
        modality=modality,
        polarisation=settings.polarisation if is_radar else None,
    )
    return make_dataset_scene(
        settings,
        item,
        ABOUT,
        read_picture(part, modality),
        (name, said),
        documented=(_RADAR if is_radar else _RGB,),
        group=folder,
        pair=item.key,
    )


ADAPTER = Adapter(about=ABOUT, suffixes=frozenset((".png",)), place=place, read=read)
