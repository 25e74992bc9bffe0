"""SEN12MS: 180,662 triplets of Sentinel-1, Sentinel-2 and land cover (Schmitt et al. 2019, arXiv 1906.07789).

Layout and bands as the paper and torchgeo's `sen12ms.py` give them. Its elder sibling SEN1-2 (8-bit PNG) is another
dataset with another module: its files are strays here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from earthloom.core.errors import RecordError
from earthloom.core.records import (
    Band,
    ClassMask,
    Item,
    Legend,
    Modality,
    Origin,
    Part,
    Quantity,
    Reason,
    Scene,
)
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.reading import Pixels, check_size, make_dataset_scene, open_part, take_bands
from earthloom.ingest.datasets.rois import (
    GSD_M,
    SEN1_2,
    SEN12MS,
    facts_of_season,
    name_file,
    name_item,
    name_scene,
)
from earthloom.ingest.rasters import Raster
from earthloom.ingest.scenes import Facts


class Sen12msSettings(DatasetSettings):
    """SEN12MS: 256-pixel GeoTIFF triplets at 10 m: Sentinel-1 VV and VH, Sentinel-2 with 13 bands, land cover."""

    items_a_shard: ClassVar[int] = 64
    kind: Literal["sen12ms"]
    """What kind of source this is."""


ABOUT = About(
    title="SEN12MS",
    what="Sentinel-1 VV and VH in dB, Sentinel-2 reflectance in 13 bands, MODIS land cover; 256 x 256 GeoTIFF, 10 m",
    layout=(
        "ROIs1158_spring/s1_1/ROIs1158_spring_s1_1_p30.tif    (also ROIs1868_summer, ROIs1970_fall, ROIs2017_winter)",
        "ROIs1158_spring/s2_1/ROIs1158_spring_s2_1_p30.tif",
        "ROIs1158_spring/lc_1/ROIs1158_spring_lc_1_p30.tif",
        "train_list.txt, test_list.txt    (the authors' split; may be left out)",
    ),
    whole=(("triplets", 180_662),),
    licence="CC-BY-4.0",
    terms="Free to use and to share with credit.",
    credit="Schmitt et al. 2019 (SEN12MS); contains modified Copernicus Sentinel data; MODIS land cover by NASA",
    example="- {kind: sen12ms, path: SEN12MS}\n",
)

_ROLES = ("s2", "s1", "lc")
_CLASSES = (
    "evergreen needleleaf forest", "evergreen broadleaf forest", "deciduous needleleaf forest",
    "deciduous broadleaf forest", "mixed forest", "closed shrubland", "open shrubland", "woody savanna", "savanna",
    "grassland", "permanent wetland", "cropland", "urban and built-up land", "cropland and natural vegetation mosaic",
    "permanent snow and ice", "barren land", "water",
)  # fmt: skip
"""IGBP's classes 1 to 17, as MODIS MCD12Q1 numbers them."""
_LEGEND = (
    Legend(value=0, name="unclassified"),
    *(Legend(value=number, name=name) for number, name in enumerate(_CLASSES, 1)),
    Legend(value=255, name="unclassified"),
)
_RGB_BANDS, _NIR_BAND = (4, 3, 2), 8
_RADAR = Facts(origin=Origin.DOCUMENTATION, modality=Modality.SAR, platform="Sentinel-1", sensor="C-SAR")
_OPTICAL = Facts(origin=Origin.DOCUMENTATION, platform="Sentinel-2", sensor="MSI")
_BOTH = Facts(origin=Origin.DOCUMENTATION, gsd_x_m=GSD_M, gsd_y_m=GSD_M)
_REFLECTANCE = 1e-4


def place(settings: Sen12msSettings, key: str) -> Place | None:
    """Triplets by name: folder and file name differ in `s1`, `s2` and `lc` alone."""
    match = SEN12MS.fullmatch(key)
    if match is None:
        return None
    return Place(
        item=name_item(match),
        role=match["sensor"],
        files={role: (name_file(match, role, "tif"),) for role in _ROLES},
        carriers=("s2", "s1"),
        needed=_ROLES,
        lists=tuple(
            (word, f"{match['base']}{folder}{word}_list.txt")
            for folder in ("", "splits/")
            for word in ("train", "test")
        ),
        name=name_file(match, "s2", "tif").rpartition("/")[2],  # the lists name the files of Sentinel-2
    )


def read(settings: Sen12msSettings, item: Item) -> list[Scene]:
    """RGB, near infrared, VV and VH of a patch, as far as they are there, each with the land cover."""
    s2, s1, cover = (part_of(item, role) for role in _ROLES)
    views = [] if s2 is None else _view_optical(s2)
    views += [] if s1 is None else _view_radar(s1)
    for pixels, _ in views[1:]:
        check_size("Sentinel-1", (pixels.layer.width, pixels.layer.height), views[0][0])
    mask = None if cover is None else _read_mask(cover, views[0][0])
    return [
        make_dataset_scene(
            settings,
            item,
            ABOUT,
            pixels,
            (facts_of_season(item.key, item.document), said),
            documented=(_BOTH,),
            mask=mask,
            group=name_scene(item.key),
            pair=item.key,
        )
        for pixels, said in views
    ]


def _view_optical(part: Part) -> list[tuple[Pixels, Facts]]:
    raster = _open(part, 13)
    rgb = take_bands(raster, Modality.RGB, _RGB_BANDS, Quantity.COUNTS, scale=_REFLECTANCE)
    nir = take_bands(raster, Modality.NIR, (_NIR_BAND,), Quantity.COUNTS, scale=_REFLECTANCE)
    return [(rgb, _OPTICAL), (nir, _OPTICAL)]


def _view_radar(part: Part) -> list[tuple[Pixels, Facts]]:
    raster = _open(part, 2)
    return [
        (
            take_bands(raster, Modality.SAR, (band,), Quantity.DB),
            replace(_RADAR, polarisation=polarisation),
        )
        for band, polarisation in ((1, "VV"), (2, "VH"))
    ]


def _open(part: Part, n_bands: int) -> Raster:
    raster = open_part(part)
    if raster.n_bands != n_bands:
        detail = f"{part.role} has {raster.n_bands} band(s); wanted {n_bands}"
        raise RecordError(Reason.UNSUPPORTED_PIXELS, detail)
    return raster


def _read_mask(part: Part, pixels: Pixels) -> ClassMask:
    """IGBP's classes are the first of four bands; their 500 m were enlarged to the grid of Sentinel."""
    raster = _open(part, 4)
    check_size("the land cover", (raster.width, raster.height), pixels)
    return ClassMask(band=Band(uri=raster.uri, index=1), legend=_LEGEND, origin=Origin.SIDECAR.value)


ADAPTER = Adapter(
    about=ABOUT,
    suffixes=frozenset((".tif", ".png")),
    place=place,
    read=read,
    confusable={"sen1_2": SEN1_2},
)
