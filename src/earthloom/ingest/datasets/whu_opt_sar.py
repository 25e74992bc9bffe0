"""WHU-OPT-SAR: 100 sheets of Hubei from Gaofen-1 (optical) and Gaofen-3 (radar) with land cover (Li et al. 2022).

The files have no geo-reference, but their names are sheet numbers of China's 1:50,000 map (GB/T 13989), 15' of
longitude by 10' of latitude: the 5556 x 3704 pixels of a sheet have the same proportion, and the sheets named lie in
Hubei. So a name gives the middle of its scene.

Missing pixels (sheet NH49E010015 has some) are 0 in all bands. In the RGB a pixel is missing where all three are 0;
a single 0 is a dark colour. In near infrared and radar, 0 alone is what calm water looks like, so nothing is taken
for missing there; the label has 0, background, at such places.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import ClassVar, Literal

from pydantic import Field

from earthloom.core.blobs import read_blob
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
from earthloom.ingest.datasets.reading import (
    Pixels,
    check_size,
    declare_gsd,
    make_dataset_scene,
    open_part,
    take_bands,
)
from earthloom.ingest.scenes import Facts


class WhuOptSarSettings(DatasetSettings):
    """WHU-OPT-SAR: Gaofen-1 (RGB, NIR) and Gaofen-3 (SAR) of 5556 x 3704 pixels at 5 m, with land cover."""

    items_a_shard: ClassVar[int] = 4
    kind: Literal["whu_opt_sar"]
    """What kind of source this is."""
    gsd_m: float | None = Field(5.0, gt=0, le=100_000)
    """Ground sample distance, metres; null for unknown. The publisher says 5."""
    optical_order: Literal["bgrn", "rgbn"] = "bgrn"
    """Order of the optical file's four bands. The author: bands 3, 2, 1 are red, green, blue and 4 the near infrared
    (issue 3 of the dataset's repository); issue 11 there speaks of the first three as RGB."""


ABOUT = About(
    title="WHU-OPT-SAR",
    what="Gaofen-1 RGB and NIR, Gaofen-3 SAR, 100 sheets of 5556 x 3704 in Hubei, 5 m; land cover in 7 classes",
    layout=(
        "optical/NH49E001013.tif    (or image/; all may lie in whu-opt-sar/; a part of the scenes is fine)",
        "sar/NH49E001013.tif",
        "lbl/NH49E001013.tif    (intro/lbl has other labels under the same names and is left out)",
        "The division of the dataset.txt    (may be left out)",
    ),
    whole=(("scenes", 100),),
    licence=None,
    terms="The publisher states no licence; not stated is not permission.",
    credit="Li et al. 2022 (MCANet, WHU-OPT-SAR); Gaofen-1 and Gaofen-3 images",
    example="- {kind: whu_opt_sar, path: whu-opt-sar}\n",
)

LEGEND = (
    Legend(value=0, name="background"),
    Legend(value=10, name="farmland", colour=(204, 102, 0)),
    Legend(value=20, name="city", colour=(255, 0, 0)),
    Legend(value=30, name="village", colour=(255, 255, 0)),
    Legend(value=40, name="water", colour=(0, 0, 255)),
    Legend(value=50, name="forest", colour=(85, 167, 0)),
    Legend(value=60, name="road", colour=(0, 255, 255)),
    Legend(value=70, name="others", colour=(153, 102, 153)),
)
_SHEET = re.compile(r"N([A-V])(\d\d)E(\d{3})(\d{3})")
_NAME = re.compile(r"(?P<base>(?:.*/)?)(?P<folder>optical|image|sar|lbl)/(?P<stem>[^/]+)\.tiff?")
_SECTION = re.compile(r"(?<![a-z])(train|val|test)", re.IGNORECASE)
_LISTED = re.compile(rf"{_SHEET.pattern}|(?<![a-z])(?:train|val|test)", re.IGNORECASE)
_DIVISION = "The division of the dataset.txt"
_ROLES = {"optical": ("optical", "image"), "sar": ("sar",), "label": ("lbl",)}
_SHEETS_A_SIDE = 24
"""Of the 1:50,000 map in one sheet of the 1:1,000,000 map, which is 6 degrees wide and 4 high."""
_OPTICAL = Facts(origin=Origin.DOCUMENTATION, platform="Gaofen-1", country="CN")
_RADAR = Facts(origin=Origin.DOCUMENTATION, platform="Gaofen-3", country="CN")


def place(settings: WhuOptSarSettings, key: str) -> Place | None:
    """Triplets by name: all files of a sheet are called the same in sibling folders."""
    match = _NAME.fullmatch(key)
    if match is None or "intro" in match["base"].split("/"):
        return None
    base, folder, stem = match.group("base", "folder", "stem")
    files = {
        role: tuple(f"{base}{name}/{stem}{suffix}" for name in names for suffix in (".tif", ".tiff"))
        for role, names in _ROLES.items()
    }
    above = base[:-1].rpartition("/")[0]
    tops = dict.fromkeys((base, f"{above}/" if above else ""))
    return Place(
        item=f"{base}{stem}",
        role=next(role for role, names in _ROLES.items() if folder in names),
        files={**files, "division": tuple(f"{top}{_DIVISION}" for top in tops)},
        carriers=("optical", "sar"),
        needed=("optical", "sar", "label"),
    )


def read(settings: WhuOptSarSettings, item: Item) -> list[Scene]:
    """RGB, near infrared and radar of a sheet, as far as they are there, each with the land cover."""
    optical, sar, label, division = (part_of(item, role) for role in ("optical", "sar", "label", "division"))
    views = [] if optical is None else _view_optical(settings, optical)
    if sar is not None:
        views.append(_view_radar(sar))
    for pixels, _, _ in views[1:]:
        check_size("the radar image", (pixels.layer.width, pixels.layer.height), views[0][0])
    mask = None if label is None else _read_mask(label, views[0][0])
    stem = item.key.rpartition("/")[2]
    split = None if division is None else _read_division(division).get(stem)
    known = (locate_sheet(stem), Facts(origin=Origin.SIDECAR, published_split=split))
    return [
        make_dataset_scene(
            settings,
            item,
            ABOUT,
            pixels,
            (*known, said, declare_gsd(settings)),
            documented=(documented,),
            mask=mask,
            group=stem,
            pair=item.key,
        )
        for pixels, said, documented in views
    ]


def _view_optical(settings: WhuOptSarSettings, part: Part) -> list[tuple[Pixels, Facts, Facts]]:
    raster = open_part(part)
    if raster.n_bands != 4:
        raise RecordError(Reason.UNSUPPORTED_PIXELS, f"the optical file has {raster.n_bands} bands; wanted 4")
    is_told = "optical_order" in settings.model_fields_set
    origin = Origin.RECIPE if is_told else Origin.DOCUMENTATION
    is_picture = raster.dtypes[0] == "uint8"
    quantity = Quantity.DISPLAY if is_picture else Quantity.COUNTS
    rgb = (3, 2, 1) if settings.optical_order == "bgrn" else (1, 2, 3)
    views = (
        take_bands(raster, Modality.RGB, rgb, quantity, nodata=0 if is_picture else None),
        take_bands(raster, Modality.NIR, (4,), quantity),
    )
    return [(view, Facts(origin=origin, modality=view.layer.modality), _OPTICAL) for view in views]


def _view_radar(part: Part) -> tuple[Pixels, Facts, Facts]:
    raster = open_part(part)
    # Eight bits are a picture that was stretched; what Gaofen-3's products store otherwise is scaled amplitude.
    quantity = Quantity.DISPLAY if raster.dtypes[0] == "uint8" else Quantity.AMPLITUDE
    pixels = take_bands(raster, Modality.SAR, (1,), quantity)
    return pixels, Facts(origin=Origin.NAME, modality=Modality.SAR), _RADAR


def _read_mask(part: Part, pixels: Pixels) -> ClassMask:
    raster = open_part(part)
    check_size("the label", (raster.width, raster.height), pixels)
    if raster.n_bands != 1:
        raise RecordError(Reason.UNSUPPORTED_PIXELS, f"the label has {raster.n_bands} bands; wanted 1")
    return ClassMask(band=Band(uri=part.uri, index=1), legend=LEGEND, origin=Origin.SIDECAR.value)


def locate_sheet(stem: str) -> Facts:
    """Give the middle of a map sheet, degrees, from its number; nothing for what is no number of a sheet.

    GB/T 13989: a letter for each 4 degrees north of the equator, a zone of 6 degrees from 180 W, then row (from the
    north) and column (from the west) of the 1:50,000 sheet, both from 1 to 24.
    """
    match = _SHEET.fullmatch(stem)
    if match is None:
        return Facts(origin=Origin.NAME)
    letter, zone, row, column = match[1], int(match[2]), int(match[3]), int(match[4])
    if not (1 <= zone <= 60 and 1 <= row <= _SHEETS_A_SIDE and 1 <= column <= _SHEETS_A_SIDE):
        return Facts(origin=Origin.NAME)
    north = (ord(letter) - ord("A") + 1) * 4.0
    west = zone * 6.0 - 186.0
    lon = west + (column - 0.5) * 6.0 / _SHEETS_A_SIDE
    lat = north - (row - 0.5) * 4.0 / _SHEETS_A_SIDE
    return Facts(origin=Origin.NAME, lon=round(lon, 6), lat=round(lat, 6))


def parse_division(text: str) -> dict[str, str]:
    """Give the split of each sheet that a division names.

    Its format is not published. Assumed: a word that begins with train, val or test starts a part, and all sheet
    numbers up to the next such word belong to it, however they are separated. A sheet in two parts, or in none, has
    no split.
    """
    splits: dict[str, set[str]] = {}
    part = None
    for found in _LISTED.finditer(text):
        if _SECTION.fullmatch(found[0]):
            part = found[0].lower()
        elif part is not None:
            splits.setdefault(found[0].upper(), set()).add(part)
    return {sheet: next(iter(parts)) for sheet, parts in splits.items() if len(parts) == 1}


def _read_division(part: Part) -> dict[str, str]:
    return _parse_file(part.uri, part.mtime_ns)


@lru_cache(maxsize=4)
def _parse_file(uri: str, mtime_ns: int) -> dict[str, str]:
    return parse_division(read_blob(uri, None).decode("utf-8-sig", errors="replace"))


ADAPTER = Adapter(about=ABOUT, suffixes=frozenset((".tif", ".tiff")), place=place, read=read)
