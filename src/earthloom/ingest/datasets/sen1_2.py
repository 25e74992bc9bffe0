"""SEN1-2: 282,384 pairs of Sentinel-1 and Sentinel-2 chips (Schmitt, Hughes, Zhu 2018, arXiv 1807.01569).

The sibling SEN12MS (16-bit GeoTIFF, all bands) is another dataset with another module: its files are strays here,
and are named as what they are. Regions come more than once and some chips are of low quality, so that a scene is one
group.
"""

from __future__ import annotations

from typing import Literal

from earthloom.core.records import Item, Modality, Origin, Part, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.reading import make_dataset_scene, read_picture
from earthloom.ingest.datasets.rois import (
    GSD_M,
    SEN1_2,
    SEN12MS,
    facts_of_season,
    name_file,
    name_item,
    name_scene,
)
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

_RGB = Facts(origin=Origin.DOCUMENTATION, platform="Sentinel-2", sensor="MSI", gsd_x_m=GSD_M, gsd_y_m=GSD_M)
_RADAR = Facts(
    origin=Origin.DOCUMENTATION, platform="Sentinel-1", sensor="C-SAR", gsd_x_m=GSD_M, gsd_y_m=GSD_M
)


def place(settings: Sen12Settings, key: str) -> Place | None:
    """Pairs by name: the folder and the file name differ in `s1` and `s2` alone."""
    match = SEN1_2.fullmatch(key)
    if match is None:
        return None
    return Place(
        item=name_item(match),
        role=match["sensor"],
        files={sensor: (name_file(match, sensor, "png"),) for sensor in ("s1", "s2")},
        carriers=("s2", "s1"),
        needed=("s1", "s2"),
    )


def read(settings: Sen12Settings, item: Item) -> list[Scene]:
    """Two scenes, or one where the other half is missing; the chips of one scene of Sentinel share a group."""
    name, group = facts_of_season(item.key), name_scene(item.key)
    scenes = []
    for role in ("s2", "s1"):
        part = part_of(item, role)
        if part is not None:
            scenes.append(_read_half(settings, item, part, name, group))
    return scenes


def _read_half(settings: Sen12Settings, item: Item, part: Part, name: Facts, group: str) -> Scene:
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
        group=group,
        pair=item.key,
    )


ADAPTER = Adapter(
    about=ABOUT,
    suffixes=frozenset((".png", ".tif")),
    place=place,
    read=read,
    confusable={"sen12ms": SEN12MS},
)
