"""NaSC-TG2: 20,000 scenes in ten classes, seen by Tiangong-2 (Zhou et al. 2021, doi 10.1109/JSTARS.2021.3063096).

Every scene comes as an RGB JPEG and as a 14-band TIFF. Names of files are not published: what is known is that
classes are folders and that the folder of the JPEGs ends in RGB.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Modality, Origin, Part, Quantity, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.folders import find_class, folder_of, label_class
from earthloom.ingest.datasets.reading import (
    Pixels,
    check_size,
    declare_gsd,
    make_dataset_scene,
    open_part,
    read_picture,
    take_bands,
)
from earthloom.ingest.scenes import Facts

N_BANDS = 14
"""Bands of the spectrometer's visible and near-infrared module, 0.40 to 1.04 um."""

_BandNumber = Annotated[int, Field(ge=1, le=N_BANDS)]


class NascTg2Settings(DatasetSettings):
    """NaSC-TG2: 128-pixel scenes of Tiangong-2 in ten classes, as RGB pictures and with 14 bands."""

    kind: Literal["nasc_tg2"]
    """What kind of source this is."""
    gsd_m: float | None = Field(100.0, gt=0, le=100_000)
    """Ground sample distance, metres; null for unknown. No page of the dataset that was found states it: 100 m is
    what the instrument's module has, and MMM-RS counts the set among those of 100 m."""
    rgb_bands: tuple[_BandNumber, _BandNumber, _BandNumber] | None = None
    """Bands of the 14-band files that are red, green and blue, for scenes without a JPEG. Which they are is not
    published: papers on the instrument name eight of the 14 centres (413, 443, 490, 565, 665, 682.5, 750, 865 nm), and
    none says where a band stands in the file. Without this setting such scenes are refused."""
    nir_band: _BandNumber | None = None
    """Band of the 14-band files that is the near infrared; gives a second scene, paired with the RGB. Without it
    the 14-band file beside a JPEG is not opened."""


ABOUT = About(
    title="NaSC-TG2",
    what="Tiangong-2 wide-band imaging spectrometer, 128 x 128: RGB JPEG and 14-band TIFF; ten classes of 2,000 scenes",
    layout=(
        "NaSC_TG2_RGB/CLASS/NAME.jpg    (what stands above the class does not matter)",
        "NaSC_TG2_TIF/CLASS/NAME.tif    (14 bands; paired where the folders differ in RGB and TIF, TIFF or MS alone)",
    ),
    whole=(("scenes", 20_000),),
    licence=None,
    terms="A mirror on Hugging Face says CC-BY-NC-SA-4.0; the publisher's own terms were not found.",
    credit="Zhou et al. 2021 (NaSC-TG2), China Manned Space Engineering",
    example="- {kind: nasc_tg2, path: NASC_TG2.zip}\n",
    in_archives=True,
)

CLASSES = (
    "beach", "circular farmland", "cloud", "desert", "forest", "mountain", "rectangular farmland", "residential",
    "river", "snowberg",
)  # fmt: skip

_PICTURES = (".jpg", ".jpeg", ".png", ".JPG")
_RASTERS = (".tif", ".tiff", ".TIF")
_FILE = re.compile(r"(?P<above>.*/)?(?P<name>[^/]+/[^/]+)(?P<suffix>\.(?:jpe?g|png|tiff?))", re.IGNORECASE)
_RGB_WORDS = ("RGB", "rgb")
_BANDS_WORDS = ("TIF", "TIFF", "MS", "MSI", "tif", "tiff", "ms", "msi")
_RGB_WORD, _BANDS_WORD = (
    re.compile(rf"(?<![A-Za-z])(?:{'|'.join(words)})(?![A-Za-z])") for words in (_RGB_WORDS, _BANDS_WORDS)
)
_SPECTROMETER = Facts(origin=Origin.DOCUMENTATION, platform="Tiangong-2", sensor="WIS")


def place(settings: NascTg2Settings, key: str) -> Place | None:
    """Pairs by name: equal class and file name, in one folder or below two that differ in `RGB` and `TIF` alone."""
    match = _FILE.fullmatch(key)
    if match is None:
        return None
    is_picture = match["suffix"].lower() in _PICTURES
    above, name = match["above"] or "", match["name"]
    ends = _split(above, _RGB_WORD if is_picture else _BANDS_WORD)
    pictures = _name_all(ends, name, _RGB_WORDS, _PICTURES)
    rasters = _name_all(ends, name, _BANDS_WORDS, _RASTERS)
    return Place(
        item=f"{'*'.join(ends)}{name}",
        role="rgb" if is_picture else "bands",
        files={
            "rgb": (key, *pictures) if is_picture else pictures,
            "bands": rasters if is_picture else (key, *rasters),
        },
        carriers=("rgb", "bands"),
    )


def _split(above: str, word: re.Pattern[str]) -> tuple[str, ...]:
    """What stands before and behind the last folder's word for what is in it; all in one where there is none."""
    found = list(word.finditer(above))
    return (above[: found[-1].start()], above[found[-1].end() :]) if found else (above,)


def _name_all(
    ends: tuple[str, ...], name: str, words: tuple[str, ...], suffixes: tuple[str, ...]
) -> tuple[str, ...]:
    folders = [word.join(ends) for word in words] if len(ends) > 1 else list(ends)
    return tuple(f"{folder}{name}{suffix}" for folder in folders for suffix in suffixes)


def read(settings: NascTg2Settings, item: Item) -> list[Scene]:
    """The RGB of a scene, and its near infrared where `nir_band` says which band that is.

    The publisher does not say which scenes show the same ground, so that each is its own group.
    """
    label = label_class(find_class(folder_of(item.key), CLASSES))
    rgb, bands = part_of(item, "rgb"), part_of(item, "bands")
    views = [] if rgb is None else [(read_picture(rgb, Modality.RGB), _said(Modality.RGB, Origin.NAME))]
    if bands is not None:
        views += _view_bands(settings, bands, wants_rgb=rgb is None)
    for pixels, _ in views[1:]:
        check_size("the 14-band file", (pixels.layer.width, pixels.layer.height), views[0][0])
    return [
        make_dataset_scene(
            settings,
            item,
            ABOUT,
            pixels,
            (said, declare_gsd(settings)),
            documented=(_SPECTROMETER,),
            labels=(label,),
            pair=item.key,
        )
        for pixels, said in views
    ]


def _view_bands(settings: NascTg2Settings, part: Part, *, wants_rgb: bool) -> list[tuple[Pixels, Facts]]:
    """What the settings name of a 14-band file; nothing of one that they and a scene with a JPEG have no use for."""
    wanted: list[tuple[Modality, tuple[int, ...]]] = []
    if wants_rgb and settings.rgb_bands is not None:
        wanted.append((Modality.RGB, settings.rgb_bands))
    if settings.nir_band is not None:
        wanted.append((Modality.NIR, (settings.nir_band,)))
    if wants_rgb and not wanted:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"{N_BANDS} bands and no RGB picture; which bands are red, green, blue or near infrared is not"
            " published: set rgb_bands or nir_band",
        )
    if not wanted:
        return []
    raster = open_part(part)
    if raster.n_bands != N_BANDS:
        raise RecordError(Reason.UNSUPPORTED_PIXELS, f"the TIFF has {raster.n_bands} bands; wanted {N_BANDS}")
    quantity = Quantity.DISPLAY if raster.dtypes[0] == "uint8" else Quantity.COUNTS
    return [
        (take_bands(raster, modality, numbers, quantity), _said(modality, Origin.RECIPE))
        for modality, numbers in wanted
    ]


def _said(modality: Modality, origin: Origin) -> Facts:
    return Facts(origin=origin, modality=modality)


ADAPTER = Adapter(about=ABOUT, suffixes=frozenset((*_PICTURES[:3], *_RASTERS[:2])), place=place, read=read)
